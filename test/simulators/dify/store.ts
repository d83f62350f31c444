import type * as http from 'node:http';
import { knowledgeState } from './knowledge/state';
import { Clock } from './wire';
import type {
	AppSpec,
	EndUser,
	Fault,
	Json,
	SimApp,
	SimConversation,
	SimFile,
	SimRequest,
	SimRun,
	StopCall,
	StreamKnobs,
} from './types';

export interface StoreOptions {
	apps: AppSpec[];
	datasetKey: string;
	now: () => number;
	ids?: (kind: string, count: number) => string;
	/** Megabytes; defaults of docs/protocols/dify.md 2.9. */
	limits: { image: number; video: number; audio: number; other: number };
	/** Largest body in bytes that nginx accepts. */
	nginxBodyLimit: number;
	/** Bytes of an uploaded file that are kept. */
	keepBytes: number;
	/** Base of file URLs (Dify's `FILES_URL`); empty for URLs without a host. */
	filesUrl: string;
}

/** First digits of IDs by kind, so that a mixed-up ID is easy to see. */
const ID_MARKS: Record<string, string> = {
	app: 'a',
	conversation: 'c',
	message: 'e',
	task: '7',
	run: '9',
	file: 'f',
	feedback: 'fb',
	dataset: 'd',
	document: 'd0',
	batch: 'ba',
	segment: '5e',
	child: 'cc',
	field: 'f1',
	'end-user': 'e1',
};

/** All data of one simulator, in memory. Tests may read and change it. */
export class Store {
	readonly apps: SimApp[] = [];
	readonly files = new Map<string, SimFile>();
	readonly knowledge = knowledgeState();
	readonly runs: SimRun[] = [];
	readonly stops: StopCall[] = [];
	readonly requests: SimRequest[] = [];
	readonly faults: Fault[] = [];
	readonly clock = new Clock();
	stream: StreamKnobs = {};
	private readonly counts = new Map<string, number>();
	private waiting: Array<() => void> = [];
	private workerState: 'up' | 'down' = 'up';

	constructor(readonly options: StoreOptions) {
		for (const spec of options.apps) this.addApp(spec);
	}

	/**
	 * Newer versions run streamed workflows in a worker. While it is down or busy, runs wait (one ping, then silence). When it
	 * is back, it executes all of them, even those whose client has disconnected.
	 */
	get worker(): 'up' | 'down' {
		return this.workerState;
	}

	set worker(state: 'up' | 'down') {
		this.workerState = state;
		if (state === 'up') for (const go of this.waiting.splice(0)) go();
	}

	async workerIsUp(): Promise<void> {
		if (this.workerState === 'down')
			await new Promise<void>((resolve) => this.waiting.push(resolve));
	}

	now(): number {
		return Math.floor(this.options.now());
	}

	newId(kind: string): string {
		const count = (this.counts.get(kind) ?? 0) + 1;
		this.counts.set(kind, count);
		if (this.options.ids !== undefined) return this.options.ids(kind, count);
		const mark = (ID_MARKS[kind] ?? '0').padEnd(8, '0');
		return `${mark}-0000-4000-8000-${count.toString(16).padStart(12, '0')}`;
	}

	addApp(spec: AppSpec): SimApp {
		const app: SimApp = {
			...spec,
			id: spec.id ?? this.newId('app'),
			name: spec.name ?? `Simulated ${spec.mode}`,
			workflowId: this.newId('workflow'),
			endUsers: new Map(),
			conversations: new Map(),
			messages: new Map(),
			feedbacks: [],
			annotations: [],
			runCount: 0,
		};
		this.apps.push(app);
		return app;
	}

	/** Finds or creates the end user: any call with a new value creates it (docs/protocols/dify.md 1.4). */
	endUser(app: SimApp, sessionId: string): EndUser {
		let user = app.endUsers.get(sessionId);
		if (user === undefined) {
			user = { id: this.newId('end-user'), sessionId };
			app.endUsers.set(sessionId, user);
		}
		return user;
	}

	/** Adds a conversation for a test, e.g. of the hosted web app, of another user, or ended. */
	addConversation(
		app: SimApp,
		sessionId: string,
		over: Partial<SimConversation> = {},
	): SimConversation {
		const now = this.now();
		const conversation: SimConversation = {
			id: this.newId('conversation'),
			userId: this.endUser(app, sessionId).id,
			source: 'api',
			name: 'New conversation',
			inputs: {},
			status: 'normal',
			introduction: '',
			createdAt: now,
			updatedAt: now,
			variables: (app.variables ?? []).map(({ name, valueType, value, description }) => ({
				id: this.newId('variable'),
				name,
				valueType,
				value,
				description: description ?? '',
				createdAt: now,
				updatedAt: now,
			})),
			...over,
		};
		app.conversations.set(conversation.id, conversation);
		return conversation;
	}

	conversationOf(app: SimApp, id: string, userId: string): SimConversation | undefined {
		const found = app.conversations.get(id);
		return found?.source === 'api' && found.userId === userId ? found : undefined;
	}
}

export type Handler = (call: Call) => Promise<void> | void;

/**
 * One request, which passes the checks in order (docs/protocols/dify.md 1.3: key, app, body, user, mode, payload,
 * business rules).
 */
export interface Call {
	store: Store;
	app: SimApp;
	request: SimRequest;
	query: URLSearchParams;
	/** Ids in the path. */
	ids: string[];
	payload: Json;
	user: EndUser;
	res: http.ServerResponse;
	reply: (status: number, value: unknown, headers?: Record<string, string>) => void;
}
