import { request } from '../../http/request';
import type { JsonRecord } from '../../values';
import { DEFAULT_SUGGESTIONS } from './suggestions';
import type { ModelServer, LoadOptions, ServerType } from './server-type';
import { other, DEFAULT_TEXTS } from './other';

/** LM Studio (lmstudio.ai/docs/developer). Unknown routes return 200 with an error text. */
export const lmStudio: ServerType = {
	...other,
	name: 'lmStudio',
	label: 'LM Studio',
	modelActions: {
		// lmstudio.ai/docs/developer/rest: load and unload
		load: async (server, options) => {
			await sendCommand(server, 'load', { model: options.model }, options);
			return { model: options.model, before: 'unknown', state: 'loaded' };
		},
		unload: async (server, options) => {
			await sendCommand(server, 'unload', { instance_id: options.model }, options);
			return { model: options.model, before: 'unknown', state: 'unloaded' };
		},
	},
	texts: {
		...DEFAULT_TEXTS,
		tools:
			'In LM Studio, choose a model with the hammer badge, or correct the prompt template in the model settings.',
		suggestions: {
			...DEFAULT_SUGGESTIONS,
			modelNotFound:
				'Select the model from the list, load it on the server ("lms load"), or turn on Just-in-Time Model Loading, which loads models on first use.',
		},
	},
};

async function sendCommand(
	server: ModelServer,
	action: 'load' | 'unload',
	json: JsonRecord,
	{ model, timeoutMs, signal }: LoadOptions,
): Promise<void> {
	const url = `${server.url.root}/api/v1/models/${action}`;
	const timeouts = { firstTokenMs: 0, idleMs: 0, totalMs: timeoutMs };
	await request(
		server,
		{ url, json, model, signal, timeouts },
		async (response) => await response.json(),
	);
}
