/** Client for the REST interface of n8n's editor, and for its webhooks. */
import { setTimeout as delay } from 'node:timers/promises';

/** @typedef {import('./types').Login} Login */
/** @typedef {import('./types').JsonObject} JsonObject */

/** Long, for busy machines: n8n itself answers at once. */
const REQUEST_TIMEOUT_MS = 240_000;
const WEBHOOK_TIMEOUT_MS = 240_000;
const EXECUTION_TIMEOUT_MS = 240_000;
/**
 * A connection for each request: n8n closes an idle one after 5 s, and a busy machine then sends the next request into
 * the closed one.
 */
const ALONE = { connection: 'close' };
const UNFINISHED = ['new', 'running', 'waiting'];

/**
 * Parses the format of the npm package flatted, which n8n stores executions in: an array whose strings are indexes in it.
 *
 * @param {string} text
 * @returns {unknown}
 */
export const parseFlatted = (text) => {
	/** @type {unknown[]} */
	const flat = JSON.parse(text);
	/** @type {Map<number, unknown>} */
	const done = new Map();
	/** @param {number} index */
	const revive = (index) => {
		if (done.has(index)) return done.get(index);
		const value = flat[index];
		if (value === null || typeof value !== 'object') return value;
		/** @type {unknown[] | Record<string, unknown>} */
		const target = Array.isArray(value) ? [] : {};
		done.set(index, target);
		for (const [key, entry] of Object.entries(value)) {
			Object.assign(target, { [key]: typeof entry === 'string' ? revive(Number(entry)) : entry });
		}
		return target;
	};
	return revive(0);
};

/**
 * The REST interface of n8n's editor.
 *
 * @param {string} url
 * @param {string} [session] of another client that has logged in: n8n takes five logins a minute
 * @returns {import('./types').N8nClient}
 */
export const n8nClient = (url, session = '') => {
	let cookie = session;
	/**
	 * @template T
	 * @param {string} method
	 * @param {string} path
	 * @param {unknown} [body]
	 * @returns {Promise<T>}
	 */
	const request = async (method, path, body) => {
		const response = await fetch(`${url}${path}`, {
			method,
			headers: {
				...ALONE,
				...(body === undefined ? {} : { 'content-type': 'application/json' }),
				// n8n ties the session to the browser ID of the login.
				'browser-id': 'n8n-nodes-local-llama',
				...(cookie ? { cookie } : {}),
			},
			body: body === undefined ? undefined : JSON.stringify(body),
			signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
		});
		const cookies = response.headers.getSetCookie().map((line) => line.split(';')[0]);
		if (cookies.length > 0) cookie = cookies.join('; ');
		const text = await response.text();
		if (!response.ok)
			throw new Error(`${method} ${path}: HTTP ${response.status} ${text.slice(0, 2000)}`);
		const json = text ? JSON.parse(text) : {};
		return json !== null && typeof json === 'object' && 'data' in json ? json.data : json;
	};

	/** @param {Login} login */
	const setupOwner = async ({ email, password, firstName = 'Local', lastName = 'Llama' }) => {
		await request('POST', '/rest/owner/setup', { email, password, firstName, lastName });
	};
	/** @param {Login} login */
	const login = async ({ email, password }) => {
		await request('POST', '/rest/login', { emailOrLdapLoginId: email, password });
	};

	/** @type {import('./types').N8nClient['createWorkflow']} */
	const createWorkflow = async (workflow) =>
		await request('POST', '/rest/workflows', { settings: { executionOrder: 'v1' }, ...workflow });

	/** @type {import('./types').N8nClient['activate']} */
	const activate = async (id) => {
		/** @type {{ versionId: string }} */
		const { versionId } = await request('GET', `/rest/workflows/${id}`);
		await request('POST', `/rest/workflows/${id}/activate`, { versionId });
	};

	/** @type {import('./types').N8nClient['getExecution']} */
	const getExecution = async (id) => {
		/** @type {JsonObject & { data: string }} */
		const execution = await request('GET', `/rest/executions/${id}`);
		return /** @type {import('./types').Execution} */ ({
			...execution,
			data: parseFlatted(execution.data),
		});
	};

	/** @type {import('./types').N8nClient['listExecutions']} */
	const listExecutions = async ({ workflowId, status, limit = 20 } = {}) => {
		const filter = JSON.stringify({
			...(workflowId ? { workflowId } : {}),
			...(status ? { status } : {}),
		});
		/** @type {{ results: import('./types').ExecutionSummary[] }} */
		const { results } = await request(
			'GET',
			`/rest/executions?filter=${encodeURIComponent(filter)}&limit=${limit}`,
		);
		return results;
	};

	/** @type {import('./types').N8nClient['webhook']} */
	const webhook = async (path, { method = 'POST', headers = {}, body, signal } = {}) => {
		const deadline = Date.now() + WEBHOOK_TIMEOUT_MS;
		for (;;) {
			const response = await fetch(`${url}/webhook/${path}`, {
				method,
				headers: {
					...ALONE,
					...headers,
					...(body === undefined ? {} : { 'content-type': 'application/json' }),
				},
				body: body === undefined ? undefined : JSON.stringify(body),
				signal,
			});
			if (response.status !== 404 || Date.now() > deadline) return response;
			const text = await response.text();
			// n8n registers a workflow's webhooks a moment after it activates it.
			if (!text.includes('is not registered')) {
				return new Response(text, { status: 404, headers: response.headers });
			}
			await delay(100);
		}
	};

	/** @type {import('./types').N8nClient['chat']} */
	async function* chat(webhookId, chatInput, { sessionId = 'session', signal } = {}) {
		const startedAt = performance.now();
		const response = await webhook(`${webhookId}/chat`, {
			body: { action: 'sendMessage', sessionId, chatInput },
			signal,
		});
		if (!response.ok || !response.body) {
			throw new Error(
				`The chat webhook answered HTTP ${response.status}: ${await response.text()}`,
			);
		}
		let rest = '';
		for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
			const lines = (rest + text).split('\n');
			rest = lines.pop() ?? '';
			const atMs = performance.now() - startedAt;
			for (const line of lines) if (line.trim()) yield { atMs, ...JSON.parse(line) };
		}
		if (rest.trim()) yield { atMs: performance.now() - startedAt, ...JSON.parse(rest) };
	}

	return {
		url,
		session: () => cookie,
		request,
		setupOwner,
		login,
		createWorkflow,
		activate,
		getExecution,
		listExecutions,
		webhook,
		chat,
		createCredential: async (credential) => await request('POST', '/rest/credentials', credential),
		stopExecution: async (id) => {
			await request('POST', `/rest/executions/${id}/stop`);
		},
		runWorkflow: async (workflow, triggerNode) => {
			/** @type {{ executionId: string }} */
			const { executionId } = await request('POST', `/rest/workflows/${workflow.id}/run`, {
				workflowData: workflow,
				triggerToStartFrom: { name: triggerNode },
			});
			return executionId;
		},
		waitForExecution: async (id, timeoutMs = EXECUTION_TIMEOUT_MS, pauseMs = 100) => {
			const deadline = Date.now() + timeoutMs;
			for (;;) {
				// From the list, not the execution itself: n8n 2.20 answers 500 while that has no data.
				const status = (await listExecutions({ limit: 100 })).find(
					(execution) => execution.id === id,
				)?.status;
				if (status !== undefined && !UNFINISHED.includes(status)) return await getExecution(id);
				if (Date.now() > deadline)
					throw new Error(`Execution ${id} was still ${status} after ${timeoutMs} ms`);
				await delay(pauseMs);
			}
		},
		nodeTypes: async () => await request('GET', '/types/nodes.json'),
	};
};
