import type { ExecutionMemory } from '../../../lib/servers/execution-memory';
import { openMemory } from '../../../lib/servers/execution-memory';
import type { BodyChange } from '../../../lib/servers/lessons';
import { createModelServer } from '../../../lib/servers/endpoint';
import { getProfile } from '../../../lib/servers/profile';

const MINUTES = 60_000;
const FORM: BodyChange = { name: 'a form', apply: (body) => body };

const open = (id: string | undefined): (() => ExecutionMemory) =>
	openMemory({ getExecutionId: () => id });

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('all servers of an execution share its memory, and no other one does', () => {
	const memories = ['1', '2', '1', undefined, undefined, '', ''].map((id) => open(id)());
	const [first, second, again, ...without] = memories;
	expect(again).toBe(first);
	expect(new Set([first, second, ...without]).size).toBe(6);
});

test('without an ID, it stays as long as its server', () => {
	const getMemory = open(undefined);
	const memory = getMemory();
	jest.advanceTimersByTime(1_000 * MINUTES);
	expect(getMemory()).toBe(memory);
});

test('it ends ten minutes after its last use', () => {
	const memory = open('1')();
	memory.lessons.set('key', [FORM]);
	for (let use = 0; use < 3; use++) {
		jest.advanceTimersByTime(10 * MINUTES - 1);
		expect(open('1')().lessons.get('key')).toEqual([FORM]);
	}
	jest.advanceTimersByTime(10 * MINUTES);
	expect(open('1')().lessons.get('key')).toBeUndefined();
});

test('each of 200 executions at once has its own, until 1,000 others were used since', () => {
	const ids = Array.from({ length: 200 }, (_none, index) => String(index));
	for (const id of ids) open(id)().lastingFailures.set('key', id);
	expect(ids.map((id) => open(id)().lastingFailures.get('key'))).toEqual(ids);
	for (let other = 0; other < 1_000; other++) open(`other ${other}`)();
	expect(open('199')().lastingFailures.get('key')).toBeUndefined();
});

test('a traced copy of a server has its memory, and other servers of the execution other lessons', () => {
	const host = { helpers: {}, getExecutionId: () => '1' };
	const server = createModelServer({ baseUrl: 'http://one' }, host);
	const traced = { ...server, headers: { ...server.headers, traceparent: 'x' } };
	getProfile(traced).storeLessons('key', [FORM]);
	expect(getProfile(server).getLessons('key')).toEqual([FORM]);
	const same = createModelServer({ baseUrl: 'http://one' }, host);
	expect(getProfile(same).getLessons('key')).toEqual([FORM]);
	const others = [
		createModelServer({ baseUrl: 'http://two' }, host),
		createModelServer({ baseUrl: 'http://one', apiKey: 'another-key-1' }, host),
		createModelServer({ baseUrl: 'http://one' }, { ...host, getExecutionId: () => '2' }),
	];
	expect(others.map((other) => getProfile(other).getLessons('key'))).toEqual([[], [], []]);
});
