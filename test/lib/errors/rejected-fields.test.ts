import { readFieldIssues } from '../../../lib/errors/rejected-fields';
import type { KnownField } from '../../../lib/errors/rejected-fields';

/** Fields of a chat request, with short and long names, with and without texts as values. */
const KNOWN: KnownField[] = [
	{ name: 'temperature', value: 0.5 },
	{ name: 'top_k', value: 40 },
	{ name: 'reasoning_effort', value: 'high' },
	{ name: 'model', value: 'llama.3-8B' },
	{ name: 'stop', value: ['END'] },
];

/** Patterns that are built while `work` runs: each takes about 2 ms, in which n8n does nothing else. */
function countPatterns(work: () => void): number {
	const Original = globalThis.RegExp;
	let count = 0;
	globalThis.RegExp = new Proxy(Original, {
		construct: (target, args: [string, string]) => {
			count++;
			return new target(...args);
		},
	});
	try {
		work();
	} finally {
		globalThis.RegExp = Original;
	}
	return count;
}

describe('patterns for the fields of a request', () => {
	test.each([
		{ title: 'an ordinary sentence', message: 'Something went wrong.', patterns: 0 },
		{ title: 'a long text without names', message: '&lt;'.repeat(250_000), patterns: 0 },
		{ title: 'an empty message', message: '', patterns: 0 },
		{ title: 'a page', message: '<html><body>Bad gateway</body></html>', patterns: 0 },
	])('are not built for $title', ({ message, patterns }) => {
		expect(countPatterns(() => readFieldIssues({ message }, KNOWN))).toBe(patterns);
	});

	test.each([
		{ title: 'its name', message: "'top_k' must be positive", names: ['top_k'] },
		{ title: 'its name in capitals', message: 'TOP_K must be positive', names: ['top_k'] },
		{ title: 'its value', message: "Invalid value: 'high'", names: ['reasoning_effort'] },
		{
			title: 'its value in capitals',
			message: 'Unknown option "HIGH"',
			names: ['reasoning_effort'],
		},
		{ title: 'its value with a dot', message: "Model 'llama.3-8B' is gone", names: ['model'] },
		{
			title: 'two names',
			message: 'temperature must be at most 2, top_k must be at least 1',
			names: ['temperature', 'top_k'],
		},
	])('are built for a message with $title', ({ message, names }) => {
		const issues = readFieldIssues({ message }, KNOWN);
		expect(issues.map(({ path }) => path.join('.'))).toEqual(names);
	});
});
