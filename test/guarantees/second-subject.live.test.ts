/**
 * What lives only as long as something uses it – queues, connections, polls, hints, totals of an execution – meets a second
 * subject while the first one is there, as what is kept does in `second-subject.test.ts`.
 */
import type { IExecuteFunctions } from 'n8n-workflow';

import { DifyTrigger } from '../../nodes/DifyTrigger/DifyTrigger.node';
import { acquirePools, closePools } from '../../lib/http/dispatcher';
import { request } from '../../lib/http/request';
import { addHintOnce } from '../../lib/n8n/hints';
import { readTokenTotals, storeTokenTotals } from '../../lib/n8n/token-totals';
import { createModelServer } from '../../lib/servers/endpoint';
import type { ModelServer } from '../../lib/servers/types/server-type';
import { TASK_LIMITS } from '../../lib/task-limits';
import { transport } from '../lib/exchange/scripted-transport';
import { combine } from '../support/approved/outcome';
import { polling } from '../support/n8n/poll-context';
import { createDeferred } from '../support/waiting/deferred';
import type { LiveName } from './support/live-state';
import { LIVE } from './support/live-state';
import { setImmediate } from 'node:timers/promises';

jest.mock('../../lib/http/send-request', () =>
	jest.requireActual<object>('../lib/exchange/scripted-transport'),
);

/** Who uses a server, and from where. */
interface Subject {
	model: string;
	apiKey: string;
	path: string;
	host: string;
	/** Requests at the same time, by the credential; 0: as many as the server has slots. */
	limit: number;
	/** Whether n8n checks addresses. */
	isFiltered: boolean;
	/** The context of a run of a node. */
	run: number;
	executionId: string;
	workflowId: string;
	nodeId: string;
}

const FIRST: Subject = {
	model: 'a',
	apiKey: 'sk-first',
	path: 'one',
	host: 'first.test',
	limit: 0,
	isFiltered: false,
	run: 1,
	executionId: '1',
	workflowId: 'w-first',
	nodeId: '1',
};
const SECOND: Subject = {
	model: 'b',
	apiKey: 'sk-second',
	path: 'two',
	host: 'second.test',
	limit: 1,
	isFiltered: true,
	run: 2,
	executionId: '2',
	workflowId: 'w-second',
	nodeId: '2',
};
type Part = keyof Subject;
const PARTS = Object.keys(FIRST) as Part[];

/** A server is an address with a credential. */
const SERVER = ['apiKey', 'path', 'host'] as const satisfies readonly Part[];

function connect({ host, path, apiKey, limit, isFiltered, executionId }: Subject): ModelServer {
	const filter = { createSecureLookup: () => () => {} };
	return createModelServer(
		{
			baseUrl: `http://${host}/${path}`,
			apiKey,
			authentication: 'bearer',
			maxConcurrentRequests: limit,
		},
		{
			helpers: { getSecureEgressFilter: () => (isFiltered ? filter : null) },
			getExecutionId: () => executionId,
		},
	);
}

/** What is under way ends with it. */
let process = createDeferred();
let works: Array<Promise<unknown>> = [];
const contexts = new Map<string, object>();
const pools = new Set<object>();

const settle = async () => {
	for (let turns = 0; turns < 20; turns++) await setImmediate();
};

async function endProcess(): Promise<void> {
	process.open();
	await Promise.all(works);
	await closePools();
	process = createDeferred();
	works = [];
	contexts.clear();
	pools.clear();
	transport.held = undefined;
	transport.heldReads = undefined;
	transport.read = undefined;
}
afterEach(endProcess);

/** The same object for the same name. */
function getContext<T extends object>(name: string, create: () => T): T {
	const context = (contexts.get(name) as T | undefined) ?? create();
	contexts.set(name, context);
	return context;
}

/** One use, which goes on until the process ends. The same use again has another outcome. */
const USES: Readonly<Record<LiveName, (subject: Subject) => Promise<unknown>>> = {
	queues: async (subject) => {
		transport.held = process.wait;
		transport.sent = [];
		const server = { ...connect(subject), getSlots: () => 1 };
		const { model } = subject;
		const options = {
			url: `http://${subject.host}/${subject.path}`,
			json: {},
			model,
			priority: 'interactive',
			limits: TASK_LIMITS.chat.received,
		} as const;
		works.push(request(server, options, async (response) => await response.text()));
		await settle();
		return transport.sent.length === 1 ? 'sent at once' : 'waits';
	},
	pools: async (subject) => {
		const { singleUse, release } = acquirePools(connect(subject));
		works.push(process.wait.then(release));
		const isNew = !pools.has(singleUse);
		pools.add(singleUse);
		return await Promise.resolve(isNew ? 'its own connections' : 'shared connections');
	},
	polls: async ({ workflowId, nodeId, host, path }) => {
		transport.heldReads = process.wait;
		let requests = 0;
		transport.read = () => {
			requests += 1;
			return { data: [], total: 0 };
		};
		const credentials = () => ({ baseUrl: `http://${host}/${path}`, apiKey: 'app-key' });
		works.push(polling(new DifyTrigger(), { credentials, workflowId, nodeId }).poll());
		await settle();
		return requests > 0 ? 'polls' : 'is skipped';
	},
	hints: async ({ run }) => {
		const shown: unknown[] = [];
		const context = getContext(`run ${run}`, () => ({
			addExecutionHints: (hint: unknown) => shown.push(hint),
		}));
		addHintOnce(context as never as IExecuteFunctions, 'A hint');
		return await Promise.resolve(shown.length);
	},
	totals: async ({ executionId }) => {
		const context = getContext(`execution ${executionId}`, () => {
			const values = new Map<string, unknown>();
			const customData = {
				get: (key: string) => values.get(key),
				set: (key: string, value: unknown) => void values.set(key, value),
			};
			return { customData };
		});
		const usage = { promptTokens: 3, completionTokens: 2, totalTokens: 5 };
		storeTokenTotals(context, { usage });
		return await Promise.resolve(readTokenTotals(context));
	},
};

/** What of a second subject keeps it apart. */
const APART: Readonly<Record<LiveName, readonly Part[]>> = {
	queues: ['model', ...SERVER, 'limit'],
	pools: [...SERVER, 'isFiltered'],
	polls: ['workflowId', 'nodeId'],
	hints: ['run'],
	totals: ['executionId'],
};

const NAMES = Object.keys(LIVE) as LiveName[];

test.each(NAMES)('%s: the same subject meets its first use', async (name) => {
	const first = await USES[name](FIRST);
	expect(await USES[name](FIRST)).not.toEqual(first);
});

describe('a second subject that differs in one part', () => {
	const rows = combine({ name: NAMES, part: PARTS });

	test.each(rows.filter(({ name, part }) => APART[name].includes(part)))(
		'$name: another $part is as alone',
		async ({ name, part }) => {
			const second = { ...FIRST, [part]: SECOND[part] };
			const alone = await USES[name](second);
			await endProcess();
			await USES[name](FIRST);
			expect(await USES[name](second)).toEqual(alone);
		},
	);

	test.each(rows.filter(({ name, part }) => !APART[name].includes(part)))(
		'$name: another $part shares it, as its row says',
		async ({ name, part }) => {
			await USES[name](FIRST);
			const again = await USES[name](FIRST);
			await endProcess();
			await USES[name](FIRST);
			expect({
				because: LIVE[name].sharedBecause,
				outcome: await USES[name]({ ...FIRST, [part]: SECOND[part] }),
			}).toEqual({ because: expect.stringMatching(/\w/) as string, outcome: again });
		},
	);
});
