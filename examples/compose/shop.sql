-- A small shop, and the user that reads it.
CREATE DATABASE shop;
CREATE TABLE shop.customers (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) NOT NULL, email VARCHAR(80));
CREATE TABLE shop.orders (
  id INT AUTO_INCREMENT PRIMARY KEY,
  customer_id INT NOT NULL REFERENCES shop.customers (id),
  total DECIMAL(10, 2) NOT NULL,
  placed TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
);
INSERT INTO shop.customers (name, email) VALUES ('Ada', 'ada@example.com'), ('Grace', NULL);
INSERT INTO shop.orders (customer_id, total) VALUES (1, 12.50), (1, 3.99), (2, 100.00);
CREATE USER 'millrace'@'%' IDENTIFIED BY 'millrace';
GRANT SELECT, RELOAD, PROCESS, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'millrace'@'%';
