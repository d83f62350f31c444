import { existsSync } from 'node:fs';
import { findOnPath } from './proc.mjs';

/** Lets Chromium run as root in a container, without background network traffic. */
export const CHROMIUM_ARGS = [
	...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
	...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/**
 * @param {string[]} names of one program
 * @param {string} variable names another one
 * @param {string} debianPackage
 * @returns {string} its file
 */
export const findProgram = (names, variable, debianPackage) => {
	const named = process.env[variable];
	if (named && !existsSync(named))
		throw new Error(`${variable} names ${named}, which does not exist`);
	const [found = named] = named ? [named] : names.flatMap((name) => findOnPath(name) ?? []);
	if (found) return found;
	throw new Error(
		`${names[0]} was not found: apt-get install -y ${debianPackage} (or name one with ${variable})`,
	);
};
