import * as fs from 'node:fs';
import * as os from 'node:os';
import path from 'node:path';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'local-llama-load-once-'));
const file = path.join(folder, 'counter.js');

afterAll(() => fs.rmSync(folder, { recursive: true }));

interface Counter {
	next: () => number;
	fail: () => never;
}

/** Loads the file as another suite would. */
function load(): Counter {
	let counter: Counter | undefined;
	jest.isolateModules(() => (counter = jest.requireActual<Counter>(file)));
	return counter as Counter;
}

function write(source: string, changedAt: number): void {
	fs.writeFileSync(file, source);
	fs.utimesSync(file, changedAt, changedAt);
}

test('a module that is loaded again has new state', () => {
	write('let count = 0; exports.next = () => ++count;', 1);
	const first = load();
	expect([first.next(), first.next(), load().next(), first.next()]).toEqual([1, 2, 1, 3]);
});

test('a changed file is read and compiled again', () => {
	write('exports.next = () => 1;', 2);
	expect(load().next()).toBe(1);
	write('exports.next = () => 2;', 3);
	expect(load().next()).toBe(2);
});

test('an error names its location, also in the first line', () => {
	write('exports.fail = () => { throw new Error("no"); };', 4);
	let stack: string | undefined;
	try {
		load().fail();
	} catch (error) {
		stack = (error as Error).stack;
	}
	expect(stack).toContain(`${file}:1:30)`);
});

test('a file that is not JavaScript fails with its name', () => {
	write('exports.next = (;', 5);
	expect(load).toThrow(`${file}:1`);
});
