/** Client for the REST interface of n8n's editor, and for its webhooks. */
import { setTimeout as delay } from 'node:timers/promises';

/** Long, for busy machines: n8n itself responds immediately. */
const TIMEOUT_MS = 240_000;
/**
 * A connection for each request: n8n closes an idle one after 5 s, and a busy machine then sends the next request into
 * the closed one.
 */
const ALONE = { connection: 'close' };
/** Executions that n8n lists at most. */
const MAX_LISTED = 100;
const UNFINISHED = ['new', 'running', 'waiting'];

/** @param {unknown} body @returns {Record<string, string>} */
const jsonHeader = (body) => (body === undefined ? {} : { 'content-type': 'application/json' });

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
 * @param {string} [session] of another client that has logged in: n8n accepts five logins per minute
 * @returns {import('../types').N8nClient}
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
				...jsonHeader(body),
				// n8n ties the session to the browser ID of the login.
				'browser-id': 'n8n-nodes-local-llama',
				...(cookie ? { cookie } : {}),
			},
			body: body === undefined ? undefined : JSON.stringify(body),
			signal: AbortSignal.timeout(TIMEOUT_MS),
		});
		const cookies = response.headers.getSetCookie().map((line) => line.split(';')[0]);
		if (cookies.length > 0) cookie = cookies.join('; ');
		const text = await response.text();
		if (!response.ok)
			throw new Error(`${method} ${path}: HTTP ${response.status} ${text.slice(0, 2000)}`);
		const json = text ? JSON.parse(text) : {};
		return json !== null && typeof json === 'object' && 'data' in json ? json.data : json;
	};

	/** @type {import('../types').N8nClient} */
	const client = {
		url,
		session: () => cookie,
		request,
		setupOwner: async ({ email, password, firstName = 'Local', lastName = 'Llama' }) => {
			await request('POST', '/rest/owner/setup', { email, password, firstName, lastName });
		},
		login: async ({ email, password }) => {
			await request('POST', '/rest/login', { emailOrLdapLoginId: email, password });
		},
		createCredential: async (credential) => await request('POST', '/rest/credentials', credential),
		createWorkflow: async (workflow) =>
			await request('POST', '/rest/workflows', { settings: { executionOrder: 'v1' }, ...workflow }),
		activate: async (id) => {
			/** @type {{ versionId: string }} */
			const { versionId } = await request('GET', `/rest/workflows/${id}`);
			await request('POST', `/rest/workflows/${id}/activate`, { versionId });
		},
		runWorkflow: async (workflow, triggerNode) => {
			/** @type {{ executionId: string }} */
			const { executionId } = await request('POST', `/rest/workflows/${workflow.id}/run`, {
				workflowData: workflow,
				triggerToStartFrom: { name: triggerNode },
			});
			return executionId;
		},
		getExecution: async (id) => {
			/** @type {import('../types').ExecutionSummary & { data: string }} */
			const { data, ...rest } = await request('GET', `/rest/executions/${id}`);
			const parsed = /** @type {import('../types').ExecutionData} */ (parseFlatted(data));
			return /** @type {import('../types').Execution} */ ({ ...rest, data: parsed });
		},
		listExecutions: async ({ limit = 20, ...filter } = {}) => {
			const text = encodeURIComponent(JSON.stringify(filter));
			/** @type {{ results: import('../types').ExecutionSummary[] }} */
			const { results } = await request('GET', `/rest/executions?filter=${text}&limit=${limit}`);
			return results;
		},
		stopExecution: async (id) => {
			await request('POST', `/rest/executions/${id}/stop`);
		},
		waitForEnd: async (id, timeoutMs = TIMEOUT_MS, pauseMs = 100) => {
			const deadline = Date.now() + timeoutMs;
			for (;;) {
				// From the list, not the execution itself: n8n 2.20 answers 500 while that has no data.
				const list = await client.listExecutions({ limit: MAX_LISTED });
				const listed = list.find((execution) => execution.id === id);
				// Other suites may have started so many executions since that the list ends before it.
				const { status } =
					listed ??
					(list.length < MAX_LISTED
						? { status: 'new' }
						: /** @type {import('../types').ExecutionSummary} */ (
								await request('GET', `/rest/executions/${id}`)
							));
				if (!UNFINISHED.includes(status)) return status;
				if (Date.now() > deadline)
					throw new Error(`Execution ${id} was still ${status} after ${timeoutMs} ms`);
				await delay(pauseMs);
			}
		},
		waitForExecution: async (id, timeoutMs, pauseMs) => {
			await client.waitForEnd(id, timeoutMs, pauseMs);
			return await client.getExecution(id);
		},
		webhook: async (path, { method = 'POST', headers = {}, body, signal } = {}) => {
			const deadline = Date.now() + TIMEOUT_MS;
			const all = { ...ALONE, ...jsonHeader(body), ...headers };
			for (;;) {
				const text = body === undefined ? undefined : JSON.stringify(body);
				const init = { method, headers: all, body: text, signal };
				const response = await fetch(`${url}/webhook/${path}`, init);
				if (response.status !== 404 || Date.now() > deadline) return response;
				const answer = await response.text();
				// n8n registers a workflow's webhooks a moment after it activates it.
				if (!answer.includes('is not registered'))
					return new Response(answer, { status: 404, headers: response.headers });
				await delay(100);
			}
		},
		async *chat(webhookId, chatInput, { sessionId = 'session', signal } = {}) {
			const startedAt = performance.now();
			const body = { action: 'sendMessage', sessionId, chatInput };
			const response = await client.webhook(`${webhookId}/chat`, { body, signal });
			if (!response.ok || !response.body)
				throw new Error(
					`The chat webhook answered HTTP ${response.status}: ${await response.text()}`,
				);
			let rest = '';
			for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
				const lines = (rest + text).split('\n');
				rest = lines.pop() ?? '';
				const atMs = performance.now() - startedAt;
				for (const line of lines) if (line.trim()) yield { atMs, ...JSON.parse(line) };
			}
			if (rest.trim()) yield { atMs: performance.now() - startedAt, ...JSON.parse(rest) };
		},
		nodeTypes: async () => await request('GET', '/types/nodes.json'),
	};
	return client;
};
