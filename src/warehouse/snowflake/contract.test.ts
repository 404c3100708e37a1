import { after } from 'node:test';
import { testWarehouse } from '../warehouse.contract.ts';
import { openTestAccount } from './account.fixture.ts';
import { openTestSnowflake } from './snowflake.fixture.ts';

const account = await openTestAccount();
after(() => account[Symbol.asyncDispose]());

testWarehouse('Snowflake', async (options) => openTestSnowflake(await account.createDatabase(), options), { seeds: 1 });
