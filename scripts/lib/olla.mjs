/** Starts an Olla that the user has: no package registry has it. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './ports.mjs';
import { startService } from './proc.mjs';
import { waitForService } from './wait.mjs';

/** By default, it takes 100 requests a minute. */
const ANY_NUMBER = 1_000_000;

/**
 * @param {import('./types').Log} log
 * @returns {Promise<string>} the program that `OLLA_BIN` names
 */
export const ensureOlla = async (log) =>
	await log.step('Olla', () => {
		const named = process.env.OLLA_BIN;
		if (!named) throw new Error('no registry has it: name its program with OLLA_BIN');
		if (!existsSync(named)) throw new Error(`OLLA_BIN names ${named}, which does not exist`);
		return named;
	});

/**
 * Its configuration: JSON is YAML.
 *
 * @param {number} port
 * @param {{ url: string, key: string }} behind
 */
const configuration = (port, behind) => ({
	server: {
		host: '127.0.0.1',
		port,
		rate_limits: {
			global_requests_per_minute: ANY_NUMBER,
			per_ip_requests_per_minute: ANY_NUMBER,
			burst_size: ANY_NUMBER,
		},
	},
	discovery: {
		type: 'static',
		static: {
			endpoints: [
				{
					url: behind.url,
					name: 'llama',
					type: 'llamacpp',
					model_url: '/v1/models',
					health_check_url: '/health',
					check_interval: '2s',
					check_timeout: '1s',
					auth: { type: 'bearer', token: behind.key },
				},
			],
		},
		model_discovery: { enabled: true, interval: '5m', timeout: '30s' },
	},
	model_registry: { type: 'memory', routing_strategy: { type: 'strict' } },
});

/**
 * Starts it with one server behind it.
 *
 * @param {string} binary
 * @param {{ folder: string, behind: { url: string, key: string, models: string[] } }} options `folder`: for its configuration and log
 * @returns {Promise<import('./types').StartedServer>}
 */
export const startOlla = async (binary, { folder, behind }) => {
	const port = await freePort();
	const file = join(folder, 'olla.yaml');
	writeFileSync(file, JSON.stringify(configuration(port, behind)));
	const service = startService('Olla', binary, ['--config', file], {
		cwd: folder,
		logFile: join(folder, 'olla.log'),
	});
	const address = `http://127.0.0.1:${port}`;
	// It knows no model until it has asked the server for its list.
	const known = `${address}/olla/models/${behind.models[0]}`;
	await waitForService(service, known, { timeoutMs: 60_000, lines: 20 });
	return { url: `${address}/olla/openai`, service, stop: async () => await service.stop(3000) };
};
