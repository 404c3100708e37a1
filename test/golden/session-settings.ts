/** What the sessions had that ran the SQL of the recordings. */
export const sessionSettings = {
  mysql: [
    "SET sql_mode = 'IGNORE_SPACE,ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
    'SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci',
  ],
  mariadb: [
    "SET sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION'",
    'SET NAMES utf8mb4 COLLATE utf8mb4_uca1400_ai_ci',
  ],
} as const;
