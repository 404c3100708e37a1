/* What Debezium's MariaDB connector wrote for some SQL, Millrace writes: each recording, through the whole source side. */
import { defineGoldenTests } from './define-golden-tests.ts';

defineGoldenTests('mariadb');
