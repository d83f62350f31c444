/** The totals of an execution after any generations, also those of Dify's runs. */
import { reportRun } from '../../../nodes/shared/dify/report-run';
import { readTokenTotals, storeTokenTotals } from '../../../lib/n8n/token-totals';
import type { GenerationUsage } from '../../../lib/n8n/token-totals';
import { expectApproved } from '../../support/approved/approved-table';
import { createDraws } from '../../support/jest/draws';
import path from 'node:path';

const { oneOf, count } = createDraws(7);
const GENERATIONS: readonly GenerationUsage[] = [
	{ usage: undefined },
	{ usage: { promptTokens: 3, completionTokens: 4, totalTokens: 7 }, model: 'a', totalMs: 500 },
	{
		usage: { promptTokens: 0, completionTokens: 0, totalTokens: 0, cachedTokens: 2 },
		model: 'b',
		totalMs: 0,
	},
	{ usage: { promptTokens: 10, completionTokens: 20, totalTokens: 30 }, model: 'a' },
	{
		usage: { promptTokens: 1, completionTokens: 9, totalTokens: 10 },
		model: 'x'.repeat(250),
		totalMs: 2_000,
	},
] as never;

function createData() {
	const values = new Map<string, unknown>();
	const context = {
		customData: {
			get: (key: string) => values.get(key),
			set: (key: string, value: unknown) => void values.set(key, value),
		},
	};
	return { context, values, show: () => JSON.stringify(Object.fromEntries(values)) };
}

test('made-up generations, and runs of Dify', () => {
	const rows = Array.from({ length: 25 }, (_none, at) => {
		const { context, show } = createData();
		const indexes = Array.from({ length: count(1, 4) }, () => oneOf([0, 1, 2, 3, 4]));
		for (const index of indexes) storeTokenTotals(context, GENERATIONS[index]!);
		return {
			input: `${at}: ${indexes.join(' ')}`,
			outcome: `${show()} ${JSON.stringify(readTokenTotals(context))}`,
		};
	});
	const runs = [
		{
			status: 'succeeded',
			usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, latency: 1.5 },
		},
		{
			status: 'paused',
			usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, latency: 1.5 },
		},
		{ status: 'stopped', usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } },
		{ status: 'succeeded', usage: undefined },
	].map((result) => {
		const { context, show } = createData();
		const hints: string[] = [];
		reportRun(
			{ context, hint: (text: string) => void hints.push(text) } as never,
			{ warnings: ['W'], ...result } as never,
		);
		return { input: JSON.stringify(result), outcome: `${show()} ${hints.join()}` };
	});
	const none = {
		input: 'an execution without totals',
		outcome: JSON.stringify(readTokenTotals({})),
	};
	expectApproved(
		path.join(__dirname, 'token-totals.any-usage.approved.txt'),
		[...rows, ...runs, none],
		'Totals add up what servers counted',
	);
});
