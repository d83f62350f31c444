import { startListening } from '../support/servers/listen';
import * as http from 'node:http';
import type { DifyAppMode } from '../../lib/dify/types';
import {
	DifyHttpError,
	NoRoute,
	PAGES,
	crashed,
	invalid,
	isJson,
	redirect,
	sendHtml,
	sendJson,
	truthy,
} from './dify/http';
import { FILE_TYPES } from './dify/inputs';
import { readForm } from './dify/multipart';
import { ROUTES } from './dify/routes';
import type { Route } from './dify/routes';
import { Store } from './dify/store';
import type { Call } from './dify/store';
import type { Overlap } from './dify/writes';
import type {
	AppSpec,
	EndUser,
	Fault,
	Json,
	SimApp,
	SimRequest,
	SimRun,
	StopCall,
	StreamKnobs,
} from './dify/types';

export { PAGES } from './dify/http';
export { storeFile } from './dify/files';
export { SAMPLES, sampleContext, transcript } from './dify/samples';
export { wireText } from './dify/wire';
export type * from './dify/types';
export { addDataset, addDocument } from './dify/knowledge/state';
export type { SimDataset, SimDocument } from './dify/knowledge/state';

export interface DifySimOptions {
	/** Default: one published app of each mode, with the keys of `appKey`. */
	apps?: AppSpec[];
	stream?: StreamKnobs;
	port?: number;
	/** A path before `/v1`, as added by a reverse proxy. */
	prefix?: string;
}

export interface DifySim {
	/** Base URL, with `/v1`. */
	url: string;
	/** Without path. */
	origin: string;
	requests: SimRequest[];
	runs: SimRun[];
	stops: StopCall[];
	/** Writes to a knowledge base that were not sent one after the other. */
	overlaps: readonly Overlap[];
	/** All data of the simulator, which tests may read and change. */
	store: Store;
	/** Transport settings of later streams; assign to change them. */
	stream: StreamKnobs;
	app(mode: DifyAppMode): SimApp;
	/** Fails the next matching request. */
	fail(fault: Fault): void;
	/** Stops at once; closes all sockets and timers. */
	close(): Promise<void>;
}

const MODES: DifyAppMode[] = [
	'chat',
	'agent-chat',
	'agent',
	'advanced-chat',
	'completion',
	'workflow',
];
const SERVER_VERSION = '1.16.0';

/** The key of the default app of a mode: `app-` and 24 letters and digits. */
export function appKey(mode: DifyAppMode): string {
	return `app-${`Sim${mode.replace(/-/g, '')}`.padEnd(24, '0')}`;
}

/** `dataset-` and 24 letters and digits. */
export function knowledgeKey(): string {
	return `dataset-${'SimKnowledge'.padEnd(24, '0')}`;
}

export function defaultApps(): AppSpec[] {
	return MODES.map((mode) => ({
		mode,
		key: appKey(mode),
		fileUpload: { enabled: true, types: FILE_TYPES, number: 10 },
	}));
}

/**
 * Starts a simulator of Dify's Service API, which implements only what docs/protocols/dify.md and the recordings show.
 */
export async function startDifySim(options: DifySimOptions = {}): Promise<DifySim> {
	const store = new Store(options.apps ?? defaultApps());
	store.stream = options.stream ?? {};
	const base = `${options.prefix ?? ''}/v1`;
	const server = http.createServer((req, res) => {
		void handle(store, base, req, res);
	});
	const { url: origin, close } = await startListening(server, { port: options.port });
	return {
		url: `${origin}${base}`,
		origin,
		requests: store.requests,
		runs: store.runs,
		stops: store.stops,
		overlaps: store.writes.overlaps,
		store,
		get stream() {
			return store.stream;
		},
		set stream(knobs: StreamKnobs) {
			store.stream = knobs;
		},
		app: (mode) => store.apps.find((app) => app.mode === mode) ?? missingApp(mode),
		fail: (fault) => void store.faults.push({ ...fault }),
		close: async () => {
			store.clock.close();
			await close();
		},
	};
}

function missingApp(mode: DifyAppMode): never {
	throw new Error(`The simulator has no ${mode} app`);
}

async function handle(
	store: Store,
	base: string,
	req: http.IncomingMessage,
	res: http.ServerResponse,
): Promise<void> {
	const url = new URL(req.url ?? '/', 'http://simulator');
	const method = req.method ?? 'GET';
	// Not `URL.pathname`: it would remove the double slash of a base URL with a trailing slash, which Dify keeps.
	const rawPath = (req.url ?? '/').split('?')[0] ?? '/';
	const path = rawPath.startsWith(base) ? rawPath.slice(base.length) : undefined;
	const request: SimRequest = {
		method,
		url: req.url ?? '/',
		path: path ?? rawPath,
		query: url.searchParams,
		headers: req.headers,
		body: '',
	};
	store.requests.push(request);
	res.on('finish', () => (request.status = res.statusCode));
	if (!(await readBody(req, res, request))) return;
	await store.writes.begin(request, res);
	if (await applyFault(store, request, res)) return;
	if (path === undefined || (path !== '' && !path.startsWith('/'))) {
		outside(rawPath, res);
		return;
	}
	res.setHeader('X-Version', SERVER_VERSION);
	res.setHeader('X-Env', 'PRODUCTION');
	await dispatch(store, base, path, request, res);
}

/** Answers paths outside the API: the web front end behind nginx (docs/protocols/dify.md 1.1). */
function outside(path: string, res: http.ServerResponse): void {
	if (path === '/' || path === '/apps' || path === '/signin') sendHtml(res, 200, PAGES.nextApp);
	else sendHtml(res, 404, PAGES.next404);
}

/** @returns false if the client disconnected while sending */
async function readBody(
	req: http.IncomingMessage,
	res: http.ServerResponse,
	request: SimRequest,
): Promise<boolean> {
	try {
		const chunks: Buffer[] = [];
		for await (const chunk of req) chunks.push(chunk as Buffer);
		const body = Buffer.concat(chunks);
		request.upload = await readForm(req.headers['content-type'] ?? '', body);
		if (request.upload === undefined) request.body = body.toString('utf8');
		return true;
	} catch {
		res.destroy();
		return false;
	}
}

async function applyFault(
	store: Store,
	request: SimRequest,
	res: http.ServerResponse,
): Promise<boolean> {
	const at = store.faults.findIndex(({ method, path }) => {
		const fits =
			path === undefined ||
			(typeof path === 'string' ? request.path.startsWith(path) : path.test(request.path));
		return fits && (method === undefined || method === request.method);
	});
	const fault = store.faults[at];
	if (fault === undefined) return false;
	fault.times = (fault.times ?? 1) - 1;
	if (fault.times <= 0) store.faults.splice(at, 1);
	if (fault.delayMs !== undefined) await store.clock.sleep(fault.delayMs);
	await fault.after;
	if (fault.how === 'late') return false;
	if (fault.how === 'reset') {
		res.socket?.resetAndDestroy();
	} else if (fault.how !== 'silence') {
		const type = fault.contentType ?? 'text/html; charset=utf-8';
		res.writeHead(fault.status ?? 500, {
			...(type === '' ? {} : { 'Content-Type': type }),
			...fault.headers,
		});
		res.end(fault.body ?? '');
	}
	return true;
}

async function dispatch(
	store: Store,
	base: string,
	path: string,
	request: SimRequest,
	res: http.ServerResponse,
): Promise<void> {
	try {
		const host = `http://${request.headers.host ?? 'localhost'}`;
		if (path === '') {
			redirect(res, `${host}${base}/`);
		} else if (path.includes('//')) {
			redirect(res, `${host}${base}${path.replace(/\/{2,}/g, '/')}`);
		} else if (path === '/') {
			// The API framework has its own, empty root page there.
			throw new NoRoute();
		} else {
			const { route, ids } = routeOf(path, request.method);
			await route.handler(callOf(store, route, ids, request, res));
		}
	} catch (error) {
		answerError(error, res);
	}
}

function answerError(error: unknown, res: http.ServerResponse): void {
	if (res.headersSent) {
		res.destroy();
	} else if (error instanceof NoRoute) {
		sendHtml(res, 404, PAGES.werkzeug404);
	} else {
		const { status, code, message } = error instanceof DifyHttpError ? error : crashed();
		const challenge = { 'WWW-Authenticate': 'Bearer realm="api"' };
		sendJson(res, status, { code, message, status }, status === 401 ? challenge : {});
	}
}

function routeOf(path: string, method: string): { route: Route; ids: string[] } {
	const fitting = ROUTES.filter(({ pattern }) => pattern.test(path));
	const route = fitting.find((each) => each.method === method);
	if (route !== undefined)
		return { route, ids: (route.pattern.exec(path) ?? []).slice(1).map(decodeURIComponent) };
	if (fitting.length === 0) throw new NoRoute();
	const text = 'The method is not allowed for the requested URL.';
	// No Allow header, although HTTP requires it.
	throw new DifyHttpError(405, 'method_not_allowed', text);
}

/** The checks in Dify's order: key, app and workspace, readable body, user (docs/protocols/dify.md 1.3). */
function callOf(
	store: Store,
	route: Route,
	ids: string[],
	request: SimRequest,
	res: http.ServerResponse,
): Call {
	const app = authenticate(store, route, request.headers.authorization);
	const payload = route.body === 'json' ? readPayload(request) : {};
	const user = userOf(store, app, route, request, payload);
	return {
		store,
		app,
		request,
		query: request.query,
		ids,
		payload,
		user,
		res,
		reply: (status, value) => {
			if (status !== 204) return sendJson(res, status, value);
			res.writeHead(204, { 'Content-Type': 'application/json' });
			res.end();
		},
	};
}

function unauthorized(message: string): DifyHttpError {
	return new DifyHttpError(401, 'unauthorized', message);
}

/** Placeholder for knowledge routes, which have no app. */
const NO_APP = {
	mode: 'workflow',
	key: '',
	id: '',
	name: '',
	workflowId: '',
	endUsers: new Map(),
	conversations: new Map(),
	messages: new Map(),
	feedbacks: [],
	annotations: [],
} satisfies SimApp;

function authenticate(store: Store, route: Route, header: unknown): SimApp {
	const parts = /^(\S+)\s+(.*)$/.exec(typeof header === 'string' ? header : '');
	if (parts === null)
		throw unauthorized("Authorization header must be provided and start with 'Bearer'");
	if (parts[1]?.toLowerCase() !== 'bearer')
		throw unauthorized("Authorization scheme must be 'Bearer'");
	const key = parts[2]?.trim();
	if (route.key === 'dataset') {
		if (key !== knowledgeKey()) throw unauthorized('Access token is invalid');
		return NO_APP;
	}
	const app = store.apps.find((each) => each.key === key);
	if (app === undefined) throw unauthorized('Access token is invalid');
	checkApp(app);
	return app;
}

function checkApp(app: SimApp): void {
	const refuse = (text: string) => new DifyHttpError(403, 'forbidden', text);
	if (app.exists === false) throw refuse('The app no longer exists.');
	if (app.status === 'abnormal') throw refuse("The app's status is abnormal.");
	if (app.apiEnabled === false) throw refuse("The app's API service has been disabled.");
	if (app.workspace === 'archived') throw refuse("The workspace's status is archived.");
	if (app.workspace === 'missing') throw invalid('Tenant does not exist.');
}

function readPayload(request: SimRequest): Json {
	request.json = JSON.parse(request.body);
	if (!isJson(request.json)) throw crashed();
	return request.json;
}

/** Listing without a user shows the data of this shared user (docs/protocols/dify.md 1.4). */
const SHARED_USER = 'DEFAULT-USER';

function userOf(
	store: Store,
	app: SimApp,
	route: Route,
	request: SimRequest,
	payload: Json,
): EndUser {
	if (route.user === 'none') return { id: '', sessionId: '' };
	const from = route.user.replace('!', '');
	const user: unknown =
		from === 'body'
			? payload.user
			: from === 'query'
				? request.query.get('user')
				: request.upload?.fields.user;
	if (!truthy(user) && route.user.endsWith('!')) throw invalid('Arg user must be provided.');
	return store.endUser(app, truthy(user) ? String(user) : SHARED_USER);
}
