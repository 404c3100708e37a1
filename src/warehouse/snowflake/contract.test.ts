import { after } from 'node:test';
import { openSnowflakeEmulator } from '../../../test/snowflake-emulator/snowflake-emulator.ts';
import { testWarehouse } from '../warehouse.contract.ts';
import { createDatabase } from './emulator.fixture.ts';
import { openTestSnowflake } from './snowflake.fixture.ts';

const emulator = await openSnowflakeEmulator();
after(() => emulator[Symbol.asyncDispose]());

testWarehouse('Snowflake', async (options) => openTestSnowflake(await createDatabase(emulator), options), { seeds: 1 });
