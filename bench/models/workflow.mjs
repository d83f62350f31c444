/** Runs workflows in the real n8n and measures them. */

/** @typedef {import('../../scripts/lib/types').N8nServer} N8nServer */
/** @typedef {import('../../scripts/lib/types').Credential} Credential */
/** @typedef {{ type: string, typeVersion?: number, parameters: object, credential?: Credential, onError?: string }} Part */
/** @typedef {{ seconds: number, items: Array<Record<string, unknown>>}} Outcome */

const LONGEST_MS = 30 * 60_000;
/** Between two looks whether a run is over. n8n answers each with about 8 ms of the thread that is measured. */
const PAUSE_MS = 2_000;

/**
 * Retries when the connection breaks: n8n does not answer while it writes a large execution.
 *
 * @template T
 * @param {N8nServer} n8n
 * @param {() => Promise<T>} ask
 * @returns {Promise<T>}
 */
export const patiently = async (n8n, ask) => {
	for (;;) {
		try {
			return await ask();
		} catch (error) {
			if (!(error instanceof TypeError) || !n8n.service.running) throw error;
		}
	}
};

/**
 * Runs a node on one item for each text, with sub-nodes below it.
 *
 * @param {N8nServer} n8n
 * @param {string} name
 * @param {string[]} texts
 * @param {Part} work the node
 * @param {Record<string, Part>} [below] its sub-nodes, by the type of their connection
 * @returns {Promise<Outcome>} the time of the node, and the items of all its outputs
 */
export const runOnTexts = async (n8n, name, texts, work, below = {}) => {
	/** @type {import('../../scripts/lib/types').WorkflowNode[]} */
	const nodes = [];
	/** @type {import('../../scripts/lib/types').Workflow['connections']} */
	const connections = {};
	/**
	 * @param {string} id
	 * @param {Part} part
	 * @param {string} [to]
	 * @param {string} [type]
	 */
	const add = async (
		id,
		{ credential, typeVersion = 1, parameters, ...part },
		to,
		type = 'main',
	) => {
		const saved = credential && (await n8n.createCredential(credential));
		nodes.push({
			id,
			name: id,
			typeVersion,
			position: [200 * nodes.length, 0],
			parameters: { ...parameters },
			...part,
			...(credential && saved
				? { credentials: { [credential.type]: { id: saved.id, name: saved.name } } }
				: {}),
		});
		if (to !== undefined) connections[id] = { [type]: [[{ node: to, type, index: 0 }]] };
	};
	await add('Start', { type: 'n8n-nodes-base.manualTrigger', parameters: {} }, 'Texts');
	const jsonOutput = JSON.stringify({ text: texts });
	const set = { mode: 'raw', jsonOutput, options: {} };
	await add('Texts', { type: 'n8n-nodes-base.set', typeVersion: 3.4, parameters: set }, 'Split');
	const split = { fieldToSplitOut: 'text', options: {} };
	await add('Split', { type: 'n8n-nodes-base.splitOut', parameters: split }, 'Work');
	await add('Work', work);
	for (const [type, part] of Object.entries(below)) await add(type, part, 'Work', type);
	const workflow = await n8n.createWorkflow({ name, nodes, connections });
	const id = await n8n.runWorkflow(workflow, 'Start');
	const execution = await patiently(
		n8n,
		async () => await n8n.waitForExecution(id, LONGEST_MS, PAUSE_MS),
	);
	const { runData, error } = execution.data.resultData;
	const done = runData.Work?.[0];
	if (execution.status !== 'success' || done === undefined) {
		throw new Error(
			`${name}: ${error?.message ?? execution.status} ${String(error?.description ?? '')}`,
		);
	}
	return {
		seconds: done.executionTime / 1000,
		items: (done.data?.main ?? []).flatMap((output) => (output ?? []).map(({ json }) => json)),
	};
};

/**
 * @param {string} url of a llama-server that was started with `--metrics`
 * @returns {Promise<{ read: number, written: number, cached: number, longest: number }>} tokens since its start: read from
 *   prompts, generated, taken from the prompt cache, and most in one slot
 */
export const tokensOf = async (url) => {
	const metrics = await (await fetch(`${url}/metrics`)).text();
	const count = (/** @type {string} */ counter) =>
		Number(new RegExp(`^llamacpp:${counter} (\\d+)`, 'm').exec(metrics)?.[1] ?? NaN);
	return {
		read: count('prompt_tokens_total'),
		written: count('tokens_predicted_total'),
		cached: count('prompt_tokens_cached_total'),
		longest: count('n_tokens_max'),
	};
};

/** @param {number[]} values */
export const median = (values) => {
	const sorted = [...values].sort((one, other) => one - other);
	const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
	return middle.reduce((sum, value) => sum + value, 0) / middle.length;
};

/** @param {number} value */
export const ratio = (value) => `${value.toFixed(2)}×`;
