/** Starts a New API that the user has, and sets it up: no package registry has it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './ports.mjs';
import { startService } from './proc.mjs';
import { waitForService } from './wait.mjs';

const OPENAI_CHANNEL = 1;
const ADMIN = { username: 'admin', password: 'playground-1' };

/**
 * @param {import('./types').Log} log
 * @returns {Promise<string>} the program that `NEW_API_BIN` names
 */
export const ensureNewApi = async (log) =>
	await log.step('New API', () => {
		const named = process.env.NEW_API_BIN;
		if (!named) throw new Error('no registry has it: name its program with NEW_API_BIN');
		if (!existsSync(named)) throw new Error(`NEW_API_BIN names ${named}, which does not exist`);
		return named;
	});

/**
 * Calls of its administration. It answers 200 to what fails.
 *
 * @param {string} url
 */
const administration = (url) => {
	/** @type {Record<string, string>} */
	const session = { 'content-type': 'application/json' };
	/**
	 * @param {string} method
	 * @param {string} path
	 * @param {object} [body]
	 */
	const call = async (method, path, body) => {
		const response = await fetch(`${url}/api/${path}`, {
			method,
			headers: session,
			body: body && JSON.stringify(body),
		});
		const answer = /** @type {{ success?: boolean, message?: string, data?: any }} */ (
			await response.json()
		);
		if (!answer.success) throw new Error(`New API, ${path}: ${answer.message}`);
		const cookie = response.headers.getSetCookie().map((one) => one.split(';')[0]);
		if (cookie.length > 0) session.cookie = cookie.join('; ');
		return answer.data;
	};
	return {
		call,
		logIn: async () => {
			const { id } = await call('POST', 'user/login', ADMIN);
			session['new-api-user'] = String(id);
		},
	};
};

/**
 * @param {string} url
 * @param {{ url: string, key: string, models: string[] }} behind
 * @returns {Promise<string>} a key
 */
const setUp = async (url, behind) => {
	const { call, logIn } = administration(url);
	const owner = { ...ADMIN, confirmPassword: ADMIN.password, SelfUseModeEnabled: true };
	await call('POST', 'setup', owner);
	await logIn();
	await call('POST', 'channel/', {
		type: OPENAI_CHANNEL,
		name: 'llama-server',
		key: behind.key,
		base_url: behind.url,
		models: behind.models.join(','),
		group: 'default',
		auto_ban: 0,
	});
	await call('POST', 'token/', { name: 'tests', expired_time: -1, unlimited_quota: true });
	const [token] = await call('GET', 'token/?p=0&size=10');
	return `sk-${token.key}`;
};

/**
 * Starts it with one channel for the server behind it.
 *
 * @param {string} binary
 * @param {{ folder: string, behind: { url: string, key: string, models: string[] } }} options `folder`: for its data
 * @returns {Promise<import('./types').StartedServer & { key: string }>}
 */
export const startNewApi = async (binary, { folder, behind }) => {
	const port = await freePort();
	const service = startService('New API', binary, ['--port', String(port), '--log-dir', folder], {
		cwd: folder,
		env: { ...process.env, SQLITE_PATH: join(folder, 'data.db'), GIN_MODE: 'release' },
		logFile: join(folder, 'new-api.log'),
	});
	const url = `http://127.0.0.1:${port}`;
	await waitForService(service, `${url}/api/status`, { timeoutMs: 120_000, lines: 20 });
	const key = await setUp(url, behind);
	return { url, key, service, stop: async () => await service.stop(3000) };
};
