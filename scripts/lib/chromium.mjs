import { existsSync } from 'node:fs';
import { findOnPath } from './proc.mjs';

/** Lets Chromium run as root in a container, without background network traffic. */
export const CHROMIUM_ARGS = [
	'--headless',
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
];

/** @returns {string} a Chromium or Chrome of this machine; `CHROMIUM_BIN` names another */
export const findChromium = () => {
	const named = process.env.CHROMIUM_BIN;
	if (named) {
		if (!existsSync(named)) throw new Error(`CHROMIUM_BIN names ${named}, which does not exist`);
		return named;
	}
	const found = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
		.map((name) => findOnPath(name))
		.find((file) => file !== undefined);
	if (!found) {
		throw new Error(
			'Chromium was not found: apt-get install -y chromium (or name one with CHROMIUM_BIN)',
		);
	}
	return found;
};
