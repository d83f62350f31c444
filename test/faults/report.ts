/** The results as a document. */
import { FAULTS, type Fault } from './faults';
import {
	limitMsOf,
	PHASES,
	type Phase,
	PHASE_NAMES,
	FAULT_NAMES,
	REASONS,
	type Reason,
	reasonAgainst,
} from './matrix';
import type { Operation } from './operation';
import type { RunCell } from './run-matrix';

export type Language = 'en' | 'zh';

const TOTALS = {
	en: (cells: number, bad: number, sockets: number, held: number, slowest: string) =>
		`${cells} cells were run, ${bad} of them failed. Left behind by all of them together: ${sockets} connections, ${held} requests. The longest took ${slowest}.`,
	zh: (cells: number, bad: number, sockets: number, held: number, slowest: string) =>
		`共运行 ${cells} 个单元格，其中 ${bad} 个失败。全部合计遗留 ${sockets} 个连接、${held} 个请求。最长用时 ${slowest}。`,
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
function gridOf(operation: Operation, cells: ReadonlyMap<string, RunCell>, codes: Codes): string {
	const head = ['Where', ...FAULTS.map((fault) => FAULT_NAMES[fault])];
	const rows = PHASES.map((phase) => {
		const entries = FAULTS.map((fault) => entryOf(operation, phase, fault, cells, codes));
		return `| ${PHASE_NAMES[phase]} | ${entries.join(' | ')} |`;
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

/** How many cells were run and failed, and what they left behind. */
export function totalsText(results: readonly RunCell[], language: Language): string {
	const bad = results.filter(({ problems }) => problems.length > 0).length;
	const sum = (of: (cell: RunCell) => number) =>
		results.reduce((total, cell) => total + of(cell), 0);
	const slowest = results.reduce((longest, { result }) => Math.max(longest, result.ms), 0);
	const sockets = sum(({ result }) => result.sockets);
	const held = sum(({ result }) => result.held);
	return TOTALS[language](results.length, bad, sockets, held, roughly(slowest));
}

/** The part of the document between its markers. */
export function matrixText(operations: readonly Operation[], results: readonly RunCell[]): string {
	const cells = new Map(results.map((cell) => [keyOf(cell), cell]));
	const codes = new Codes();
	const groups = new Map<string, Operation[]>();
	for (const operation of operations) {
		const grid = gridOf(operation, cells, codes);
		groups.set(grid, [...(groups.get(grid) ?? []), operation]);
	}
	const grids = [...groups].map(([grid, same]) => {
		const limits = roughly(Math.max(...same.map((operation) => limitMsOf(operation, 'text'))));
		const labels = same.map(({ label }) => label).join('; ');
		return `### ${labels}\n\n(longest wait by its limits: ${limits})\n\n${grid}`;
	});
	const reasons = (Object.keys(REASONS) as Reason[])
		.sort()
		.map((letter) => `| (${letter}) | ${REASONS[letter]} |`);
	const codeRows = [
		'| Code | What the user reads | First sentence of the description |',
		'|---|---|---|',
		...codes.rows(),
	];
	const reasonRows = ['| | Why there is no such cell |', '|---|---|', ...reasons];
	return [totalsText(results, 'en'), codeRows.join('\n'), reasonRows.join('\n'), ...grids].join(
		'\n\n',
	);
}

/** Puts a text between the markers of a document. */
export function putBetween(document: string, name: string, text: string): string {
	const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
	const from = document.indexOf(begin);
	const to = document.indexOf(end);
	if (from < 0 || to < from) throw new Error(`The document has no markers "${name}"`);
	return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
}
