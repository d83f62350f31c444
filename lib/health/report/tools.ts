import { PROBLEMS } from '../tools/cases';
import type { ModelToolTest, Tally } from '../tools/model-tool-test';
import { resultInWords } from '../tools/tool-test';
import { markup, withOptions, type Html } from './html';
import { shortened } from '../../values';
import { tableOf } from './table';
import type { FullCheck, SectionOptions } from './sections';

/** How well models call tools: of each model all cases, with a bar for what passed, what did not, and what is missing. */
export function toolsSection({ toolTest }: FullCheck, { room }: SectionOptions): Html | undefined {
	const models = toolTest?.models.slice(0, room.models) ?? [];
	if (models.length === 0) return undefined;
	const names = models.map((one): [string, Tally] => [shortened(one.model, 60), one]);
	return markup`<h3>Tools</h3>
		<p class="small">
			<span class="key passed">■ passed</span> <span class="key failed">■ failed</span>
			<span class="key missing">■ not tried: says nothing of the model</span>
		</p>
		${models.length > 1 && table('Model', names, room.characters)} ${models.map((one) => casesOf(one, room.characters))}`;
}

function casesOf(tested: ModelToolTest, most: number): Html {
	const rows = tested.cases.map((one): [string, Tally] => [one.case, one]);
	return markup`<p>${shortened(resultInWords(tested), most)}</p>
		${tested.notes.map((note) => markup`<p class="soft small">${withOptions(shortened(note, most))}</p>`)}
		${table('Case', rows, most)}`;
}

function table(what: string, rows: ReadonlyArray<[string, Tally]>, most: number): Html {
	return tableOf(
		[what, 'Tries', ['Passed'], 'What went wrong'],
		rows.map(([name, tally]) => [
			name,
			bar(tally),
			`${tally.passed}/${tally.tried}`,
			shortened(wrongIn(tally), most) || '–',
		]),
	);
}

function bar({ passed, tried, notTried }: Tally): Html {
	const counts = { passed, failed: tried - passed, missing: notTried };
	const share = (count: number) => Math.round((count / Math.max(1, tried + notTried)) * 100);
	const rects: Html[] = [];
	let before = 0;
	for (const [name, count] of Object.entries(counts)) {
		rects.push(
			markup`<rect class="${name}" x="${share(before)}" y="0" width="${share(count)}" height="16" />`,
		);
		before += count;
	}
	return markup`<svg class="bar" viewBox="0 0 100 16" role="img" aria-label="${passed} of ${tried} passed">
		${rects}
	</svg>`;
}

const MAX_SHOWN = 100;

function wrongIn({ wrong }: Tally): string {
	const problems = wrong.map(({ problem, times, did }) => {
		const shown = shortened(did, MAX_SHOWN) || 'nothing';
		return `${times} × ${PROBLEMS[problem]}: ${shown}`;
	});
	return problems.join('; ');
}
