/** Runs one node on many items in the real n8n, and returns how long that node took. */
import { patiently } from '../lib/retry.mjs';

/** @typedef {import('../../scripts/lib/types').N8nServer} N8nServer */
/** @typedef {import('../../scripts/lib/types').Credential} Credential */
/** @typedef {{ type: string, typeVersion?: number, parameters: object, credential?: Credential }} Part */
/** @typedef {{ work: Part, below?: Record<string, Part> }} Contestant `below`: sub-nodes, by type of connection */

const LONGEST_MS = 30 * 60_000;
/** Interval of polls for the end of a run. n8n answers each with about 8 ms of the thread that is measured. */
const PAUSE_MS = 2_000;

/** @param {N8nServer} n8n @param {string} id also its name @param {Part} part @param {number} at place on the canvas */
const createNode = async (n8n, id, { credential, typeVersion = 1, parameters, type }, at) => {
	/** @type {import('../../scripts/lib/types').WorkflowNode} */
	const node = {
		id,
		name: id,
		type,
		typeVersion,
		position: [200 * at, 0],
		parameters: { ...parameters },
	};
	if (credential === undefined) return node;
	const saved = await n8n.createCredential(credential);
	return { ...node, credentials: { [credential.type]: { id: saved.id, name: saved.name } } };
};

/**
 * Runs a node on one item for each text.
 *
 * @param {N8nServer} n8n
 * @param {string} name
 * @param {string[]} texts
 * @param {Contestant} contestant
 * @returns {Promise<number>} seconds that the node took
 */
export const secondsOn = async (n8n, name, texts, { work, below = {} }) => {
	const jsonOutput = JSON.stringify({ text: texts });
	/** @type {Record<string, Part>} */
	const parts = {
		Start: { type: 'n8n-nodes-base.manualTrigger', parameters: {} },
		Texts: {
			type: 'n8n-nodes-base.set',
			typeVersion: 3.4,
			parameters: { mode: 'raw', jsonOutput, options: {} },
		},
		Split: {
			type: 'n8n-nodes-base.splitOut',
			parameters: { fieldToSplitOut: 'text', options: {} },
		},
		Work: work,
		...below,
	};
	const nodes = await Promise.all(
		Object.entries(parts).map(async ([id, part], at) => await createNode(n8n, id, part, at)),
	);
	/** @param {string} node @param {string} [type] */
	const to = (node, type = 'main') => ({ [type]: [[{ node, type, index: 0 }]] });
	const connections = {
		Start: to('Texts'),
		Texts: to('Split'),
		Split: to('Work'),
		...Object.fromEntries(Object.keys(below).map((type) => [type, to('Work', type)])),
	};
	const workflow = await n8n.createWorkflow({ name, nodes, connections });
	const id = await n8n.runWorkflow(workflow, 'Start');
	const execution = await patiently(
		n8n,
		async () => await n8n.waitForExecution(id, LONGEST_MS, PAUSE_MS),
	);
	const { runData, error } = execution.data.resultData;
	const done = runData.Work?.[0];
	const count = done?.data?.main?.[0]?.length;
	if (execution.status === 'success' && done !== undefined && count === texts.length)
		return done.executionTime / 1000;
	throw new Error(
		`${name}: ${count ?? 0} of ${texts.length} items, ${error?.message ?? execution.status}`,
	);
};
