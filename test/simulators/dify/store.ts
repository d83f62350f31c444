import type * as http from 'node:http';
import type { SimDataset } from './knowledge/state';
import { Clock } from './wire';
import { Writes } from './writes';
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
	field: 'f1',
	'end-user': 'e1',
};

/** All data of one simulator, in memory. Tests may read and change it. */
export class Store {
	readonly apps: SimApp[] = [];
	readonly files = new Map<string, SimFile>();
	readonly knowledge = { datasets: new Map<string, SimDataset>() };
	readonly runs: SimRun[] = [];
	readonly stops: StopCall[] = [];
	readonly requests: SimRequest[] = [];
	readonly faults: Fault[] = [];
	readonly clock = new Clock();
	readonly writes = new Writes();
	stream: StreamKnobs = {};
	/** Base of file URLs (Dify's `FILES_URL`); empty for URLs without a host. */
	filesUrl = '';
	/** The worker indexes documents. */
	worker: 'up' | 'down' = 'up';
	private readonly counts = new Map<string, number>();

	constructor(apps: AppSpec[]) {
		for (const spec of apps) this.addApp(spec);
	}

	/** Unix seconds. */
	now(): number {
		return Math.floor(Date.now() / 1000);
	}

	newId(kind: string): string {
		const count = (this.counts.get(kind) ?? 0) + 1;
		this.counts.set(kind, count);
		const mark = (ID_MARKS[kind] ?? '0').padEnd(8, '0');
		return `${mark}-0000-4000-8000-${count.toString(16).padStart(12, '0')}`;
	}

	addApp(spec: AppSpec): SimApp {
		const app: SimApp = {
			...spec,
			id: this.newId('app'),
			name: spec.name ?? `Simulated ${spec.mode}`,
			workflowId: this.newId('workflow'),
			endUsers: new Map(),
			conversations: new Map(),
			messages: new Map(),
			feedbacks: [],
			annotations: [],
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

	/** Adds a conversation for a test, e.g. of another user. */
	addConversation(
		app: SimApp,
		sessionId: string,
		over: Partial<SimConversation> = {},
	): SimConversation {
		const times = { createdAt: this.now(), updatedAt: this.now() };
		const conversation: SimConversation = {
			id: this.newId('conversation'),
			userId: this.endUser(app, sessionId).id,
			name: 'New conversation',
			inputs: {},
			...times,
			variables: (app.variables ?? []).map((variable) => ({
				id: this.newId('variable'),
				...variable,
				...times,
			})),
			...over,
		};
		app.conversations.set(conversation.id, conversation);
		return conversation;
	}

	conversationOf(app: SimApp, id: string, userId: string): SimConversation | undefined {
		const found = app.conversations.get(id);
		return found?.userId === userId ? found : undefined;
	}
}

export type Handler = (call: Call) => Promise<void> | void;

/** One request, which passes the checks in order (docs/protocols/dify.md 1.3: key, app, body, user). */
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
	reply: (status: number, value: unknown) => void;
}
