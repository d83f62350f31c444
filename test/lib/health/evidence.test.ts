import { DIFY_FINDINGS } from '../../../lib/health/dify';
import { FINDINGS } from '../../../lib/health/findings';
import { SPEED_FINDINGS } from '../../../lib/health/speed';
import { TOOL_FINDINGS } from '../../../lib/health/tool-test';
import * as fs from 'node:fs';

const tables: Record<string, object> = {
	modelServer: FINDINGS,
	dify: DIFY_FINDINGS,
	speed: SPEED_FINDINGS,
	tools: TOOL_FINDINGS,
	// Findings from errors with a suggestion of Server Health
	error: { generationStuck: true, speedNotMeasured: true },
};
const rows = fs
	.readFileSync('test/lib/health/evidence.tsv', 'utf8')
	.split('\n')
	.filter((line) => line !== '' && !line.startsWith('#'))
	.map((line) => line.split('\t'));

test('each finding has a row that states when its suggestion helps, and how that is known', () => {
	const ids = Object.entries(tables).flatMap(([table, rules]) =>
		Object.keys(rules).map((id) => `${table} ${id}`),
	);
	expect(rows.map(([id]) => id).sort()).toEqual(ids.sort());
	for (const row of rows) expect(row.map((cell) => cell.length > 2)).toEqual([true, true, true]);
});
