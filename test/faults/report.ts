/** The results as a document. */
import { FAULTS, type Fault } from './faults';
import {
	limitMsOf,
	PHASES,
	type Phase,
	PHASE_NAMES,
	PHASE_NAMES_ZH,
	FAULT_NAMES,
	FAULT_NAMES_ZH,
	REASONS,
	type Reason,
	reasonAgainst,
} from './matrix';
import type { Operation } from './operation';
import type { RunCell } from './run-matrix';

export type Language = 'en' | 'zh';

const WORDS = {
	en: {
		where: 'Where',
		code: 'Code',
		reads: 'What the user reads',
		first: 'First sentence of the description',
		reason: 'Why there is no such cell',
		sums: (cells: number, bad: number, sockets: number, held: number, slowest: string) =>
			`${cells} cells were run, ${bad} of them failed. Left behind by all of them together: ${sockets} connections, ${held} requests. The longest took ${slowest}.`,
		limit: 'longest wait by its limits',
	},
	zh: {
		where: '位置',
		code: '代码',
		reads: '用户看到的标题',
		first: '说明的第一句',
		reason: '为什么没有这种情况',
		sums: (cells: number, bad: number, sockets: number, held: number, slowest: string) =>
			`共运行 ${cells} 个单元格，其中 ${bad} 个失败。全部合计遗留 ${sockets} 个连接、${held} 个请求。最长用时 ${slowest}。`,
		limit: '按限制最长等待',
	},
} as const;

/** Whole seconds, so that small differences do not change the document. */
export function roughly(ms: number): string {
	return `${Math.round(ms / 1000)} s`;
}

/** Parts that differ between runs: ports, and numbers of bytes. */
function steady(text: string): string {
	return text
		.replace(/127\.0\.0\.1:\d+/g, 'server:8080')
		.replace(/faults\.test:\d+/g, 'server:8080')
		.replace(/host\.docker\.internal:\d+/g, 'host.docker.internal:8080')
		.replace(/127\.0\.0\.1|faults\.test/g, 'server')
		.replace(/\/cell\d+/g, '')
		.replace(/\d+ (bytes|B|kB|MB)\b/g, 'some $1')
		.replace(/\|/g, '\\|')
		.replace(/\s+/g, ' ')
		.trim();
}

function firstSentence(description: string): string {
	const text = steady(description);
	const end = /[.!?](?= [A-Z])/.exec(text);
	return end === null ? text : text.slice(0, end.index + 1);
}

/** Assigns a code to each error text: the kind of the error, with a number if it has several. */
class Codes {
	private readonly texts = new Map<string, Map<string, string>>();

	codeOf({ result: { kind, title, description, failed } }: RunCell): string {
		if (!failed) return 'answered';
		const name = kind === '' ? 'other' : kind;
		const known = this.texts.get(name) ?? new Map<string, string>();
		this.texts.set(name, known);
		const key = steady(title);
		if (!known.has(key)) known.set(key, firstSentence(description));
		const number = [...known.keys()].indexOf(key);
		return number === 0 ? name : `${name}${number + 1}`;
	}

	rows(): string[] {
		return [...this.texts]
			.sort(([one], [other]) => one.localeCompare(other))
			.flatMap(([name, texts]) =>
				[...texts].map(
					([title, first], at) =>
						`| ${at === 0 ? name : `${name}${at + 1}`} | ${title} | ${first} |`,
				),
			);
	}
}

/** One grid: a row for each phase, a column for each fault. */
function gridOf(
	operation: Operation,
	cells: ReadonlyMap<string, RunCell>,
	codes: Codes,
	language: Language,
): string {
	const [phases, faults] =
		language === 'zh' ? [PHASE_NAMES_ZH, FAULT_NAMES_ZH] : [PHASE_NAMES, FAULT_NAMES];
	const head = [WORDS[language].where, ...FAULTS.map((fault) => faults[fault])];
	const rows = PHASES.map((phase) => {
		const entries = FAULTS.map((fault) => entryOf(operation, phase, fault, cells, codes));
		return `| ${phases[phase]} | ${entries.join(' | ')} |`;
	});
	return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...rows].join('\n');
}

function entryOf(
	operation: Operation,
	phase: Phase,
	fault: Fault,
	cells: ReadonlyMap<string, RunCell>,
	codes: Codes,
): string {
	const reason = reasonAgainst(operation, phase, fault);
	if (reason !== undefined) return `(${reason})`;
	const cell = cells.get(keyOf({ operation, phase, fault }));
	if (cell === undefined) return '**EMPTY**';
	const left = cell.result.sockets + cell.result.held;
	const time = roughly(cell.result.ms);
	const problems = cell.problems.length === 0 ? '' : ' **FAILED**';
	return `${codes.codeOf(cell)} ${time}${left === 0 ? '' : ` **${cell.result.sockets}/${cell.result.held} left**`}${problems}`;
}

const keyOf = ({
	operation,
	phase,
	fault,
}: Pick<RunCell, 'operation' | 'phase' | 'fault'>): string =>
	`${operation.label}/${phase}/${fault}`;

/** The part of the document between its markers. */
export function matrixText(
	operations: readonly Operation[],
	results: readonly RunCell[],
	language: Language,
): string {
	const words = WORDS[language];
	const cells = new Map(results.map((cell) => [keyOf(cell), cell]));
	const codes = new Codes();
	const bad = results.filter(({ problems }) => problems.length > 0).length;
	const sum = (of: (cell: RunCell) => number) =>
		results.reduce((total, cell) => total + of(cell), 0);
	const slowest = roughly(Math.max(0, ...results.map(({ result }) => result.ms)));
	const groups = new Map<string, Operation[]>();
	for (const operation of operations) {
		const grid = gridOf(operation, cells, codes, language);
		groups.set(grid, [...(groups.get(grid) ?? []), operation]);
	}
	const grids = [...groups].map(([grid, same]) => {
		const limits = roughly(Math.max(...same.map((operation) => limitMsOf(operation, 'text'))));
		return `### ${same.map(({ label }) => label).join('; ')}\n\n(${words.limit}: ${limits})\n\n${grid}`;
	});
	const reasons = (Object.keys(REASONS) as Reason[])
		.sort()
		.map((letter) => `| (${letter}) | ${REASONS[letter]} |`);
	return [
		words.sums(
			results.length,
			bad,
			sum(({ result }) => result.sockets),
			sum(({ result }) => result.held),
			slowest,
		),
		[`| ${words.code} | ${words.reads} | ${words.first} |`, '|---|---|---|', ...codes.rows()].join(
			'\n',
		),
		[`| | ${words.reason} |`, '|---|---|', ...reasons].join('\n'),
		...grids,
	].join('\n\n');
}

/** Puts a text between the markers of a document. */
export function putBetween(document: string, name: string, text: string): string {
	const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
	const from = document.indexOf(begin);
	const to = document.indexOf(end);
	if (from < 0 || to < from) throw new Error(`The document has no markers "${name}"`);
	return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
}
