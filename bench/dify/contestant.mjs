/**
 * One contestant in a process of its own: sends messages to a simulated Dify, or uploads one large file, and reports
 * what it cost. Started by bench/dify.mjs with one JSON argument; prints one line of JSON.
 */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';

const { name, root, url, key, knowledge, count, atOnce, file } = JSON.parse(process.argv[2] ?? '');
const own = createRequire(join(root, 'package.json'));
const { DifyChatMessage } = own('./dist/nodes/DifyChatMessage/DifyChatMessage.node.js');
const { DifyKnowledge } = own('./dist/nodes/DifyKnowledge/DifyKnowledge.node.js');
const { DifyWorkflow } = own('./dist/nodes/DifyWorkflow/DifyWorkflow.node.js');

/** @typedef {{ json: Record<string, unknown>, binary?: Record<string, object> }} Item */
/** @typedef {{ json: Record<string, any>, pairedItem: { item: number } }} Result */

/**
 * n8n's context, as far as the node uses it.
 *
 * @param {Item[]} items
 * @param {Record<string, unknown>} parameters
 */
const context = (items, parameters) => ({
	getInputData: () => items,
	getNodeParameter: (
		/** @type {string} */ path,
		/** @type {number} */ index,
		/** @type {unknown} */ fallback,
	) => {
		/** @type {Record<string, unknown>} */
		const all = {
			query: `message ${index}`,
			user: `user ${index}`,
			conversation: 'new',
			inputsMode: 'json',
			inputsJson: '{}',
			simplify: true,
			options: {},
			optionsLimits: {},
			...parameters,
		};
		return path in all ? all[path] : fallback;
	},
	getCredentials: async () => ({ baseUrl: url, apiKey: key, keyType: 'app' }),
	getNode: () => ({
		id: '1',
		name: 'Dify',
		type: 'bench.difyChatMessage',
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
	}),
	continueOnFail: () => false,
	getExecutionCancelSignal: () => undefined,
	getMode: () => 'manual',
	isStreaming: () => false,
	addExecutionHints: () => undefined,
	helpers: {
		assertBinaryData: (/** @type {number} */ index, /** @type {string} */ property) =>
			items[index]?.binary?.[property],
		getBinaryMetadata: async () => ({ fileSize: statSync(file).size }),
		getBinaryStream: async (/** @type {string} */ _id, /** @type {number} */ piece) =>
			createReadStream(file, { highWaterMark: piece }),
	},
});

/** @param {Item[]} items @param {Record<string, unknown>} parameters @returns {Promise<Result[]>} */
const execute = async (items, parameters) =>
	(await new DifyChatMessage().execute.call(context(items, parameters)))[0];
/** @param {number} lanes */
const runWorkflows = async (lanes) => {
	const n8n = context(
		Array.from({ length: count }, () => ({ json: {} })),
		{ resource: 'run', operation: 'execute', options: { itemsAtOnce: lanes, maxRetries: 0 } },
	);
	/** @type {Result[][]} */
	const [items = []] = await new DifyWorkflow().execute.call(n8n);
	items.forEach(({ json, pairedItem }, at) => {
		if (json.outputs.done !== true || pairedItem.item !== at) throw new Error(JSON.stringify(json));
	});
};

/**
 * Dify Knowledge with its own key; the source and the text of an item come from the item.
 *
 * @param {Item[]} items
 * @param {Record<string, unknown>} parameters
 * @returns {Promise<Result[]>}
 */
const executeKnowledge = async (items, parameters) => {
	const all = {
		resource: 'document',
		difyDatasetId: knowledge.base,
		binaryPropertyName: 'data',
		contentType: 'text',
	};
	const of = context(items, { ...all, dryRun: false, name: '', ...parameters });
	const read = of.getNodeParameter;
	of.getNodeParameter = (path, index, fallback) =>
		['source', 'text'].includes(path) ? items[index]?.json[path] : read(path, index, fallback);
	of.getCredentials = async () => ({ baseUrl: url, apiKey: knowledge.key, keyType: 'knowledge' });
	return (await new DifyKnowledge().execute.call(of))[0];
};

const headers = { authorization: `Bearer ${key}` };

/** As nodes without streaming do: one blocking request after another. */
const oneAfterAnother = async () => {
	for (let at = 0; at < count; at += 1) {
		const body = JSON.stringify({
			inputs: {},
			query: `message ${at}`,
			user: `user ${at}`,
			response_mode: 'blocking',
		});
		/** @type {any} */
		const answer = await (
			await fetch(`${url}/chat-messages`, {
				method: 'POST',
				headers: { ...headers, 'content-type': 'application/json' },
				body,
			})
		).json();
		if (answer.answer !== `You said: message ${at}`) throw new Error(JSON.stringify(answer));
	}
};

const throughTheNode = async () => {
	const items = await execute(
		Array.from({ length: count }, () => ({ json: {} })),
		{ optionsLimits: { itemsAtOnce: atOnce, maxRetries: 0 } },
	);
	items.forEach(({ json, pairedItem }, at) => {
		if (json.answer !== `You said: message ${at}` || pairedItem.item !== at)
			throw new Error(JSON.stringify(json));
	});
};

const files = { file: [{ source: 'binary', binaryProperty: 'data', type: 'video' }] };
const binary = { mimeType: 'video/mp4', fileName: 'big.mp4' };

/**
 * @type {Record<string, () => Promise<() => Promise<void>>>} Each prepares what n8n would already have in memory, and
 * returns the work to measure.
 */
const contestants = {
	oneAfterAnother: async () => oneAfterAnother,
	throughTheNode: async () => throughTheNode,
	workflowRuns: async () => async () => await runWorkflows(atOnce),
	uploadFromStore: async () => async () =>
		void (await execute(
			[{ json: {}, binary: { data: { ...binary, id: 'filesystem-v2:1', data: '' } } }],
			{ files },
		)),
	uploadFromMemory: async () => {
		const data = readFileSync(file).toString('base64');
		return async () =>
			void (await execute([{ json: {}, binary: { data: { ...binary, data } } }], { files }));
	},
	documentFromStore: async () => async () => {
		const text = { mimeType: 'text/plain', fileName: 'big.txt', id: 'filesystem-v2:1', data: '' };
		const options = { maxFileSize: 1000 };
		await executeKnowledge([{ json: {}, binary: { data: text } }], {
			operation: 'upsertFile',
			wait: 10,
			options,
		});
	},
	syncUnchanged: async () => async () => {
		const items = Array.from({ length: count }, (_, at) => ({
			json: { source: `file ${at}`, text: `text ${at}` },
		}));
		const done = await executeKnowledge(items, { operation: 'sync' });
		if (done.some(({ json }) => json.action !== 'unchanged'))
			throw new Error(JSON.stringify(done[0]));
	},
	/** As nodes with a form library do: the whole file and the whole body in memory. */
	uploadWhole: async () => async () => {
		const form = new FormData();
		form.append('user', 'user 0');
		form.append(
			'file',
			new Blob([await readFile(file)], { type: binary.mimeType }),
			binary.fileName,
		);
		const answer = await fetch(`${url}/files/upload`, { method: 'POST', headers, body: form });
		if (answer.status !== 201) throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);
	},
};

const work = await contestants[name]?.();
if (work === undefined) throw new Error(`There is no contestant ${name}`);
// Wait until memory freed by the preparation is returned to the system.
for (let round = 0; round < 3; round += 1) {
	globalThis.gc?.();
	await delay(300);
}
const before = process.memoryUsage().rss;
let most = before;
const watch = setInterval(() => {
	most = Math.max(most, process.memoryUsage().rss);
}, 5);
/** Requests that were sent, and those of them that change something. */
const sent = { requests: 0, writes: 0 };
subscribe('undici:request:create', (message) => {
	const { request } = /** @type {{ request: { method: string } }} */ (message);
	sent.requests += 1;
	if (request.method !== 'GET') sent.writes += 1;
});
const cpuBefore = process.cpuUsage();
const begun = performance.now();
await work();
const ms = performance.now() - begun;
const cpu = process.cpuUsage(cpuBefore);
clearInterval(watch);
console.log(
	JSON.stringify({
		ms,
		cpuMs: (cpu.user + cpu.system) / 1000,
		grownMb: (most - before) / 2 ** 20,
		...sent,
	}),
);
process.exit(0);
