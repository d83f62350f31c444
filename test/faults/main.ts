/** What `npm run bench -- faults` runs: the whole matrix, or random faults by seed. */
import { fs, path, process } from '../support/node';
import { builtNodes } from './built-nodes';
import { fuzz, type FuzzCase } from './fuzz';
import { cellsOf } from './matrix';
import { matrixText, putBetween, roughly, totalsText } from './report';
import { leaksIn, OPERATIONS, PARTS } from './rig';
import { runCells, type RunCell } from './run-matrix';

export interface Request {
	/** Only cells with a matching name: `Local Chat Model/text/reset`. The document is not changed. */
	only?: string;
	/** Number of random faults, instead of the matrix. */
	fuzz?: number;
	seed: number;
	atOnce: number;
}

type Say = (line: string) => void;

const DOCUMENTS = { en: 'docs/faults.md', zh: 'docs/faults.zh-CN.md' } as const;
const MATRIX = 'bench/results/faults.md';

/** Events that end a process, and so n8n. */
class Crashes {
	readonly seen: string[] = [];
	private readonly note = (error: unknown) => {
		this.seen.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
	};

	constructor() {
		process.on('unhandledRejection', this.note);
		process.on('uncaughtException', this.note);
	}

	stop(): void {
		process.off('unhandledRejection', this.note);
		process.off('uncaughtException', this.note);
	}
}

/** @returns whether all is well */
export async function main(request: Request, tell: Say): Promise<boolean> {
	// Masked, so that the rig's own report of a leak does not count as one.
	const say: Say = (line) =>
		tell(PARTS.reduce((text, part) => text.replaceAll(part, '[part of a secret]'), line));
	const crashes = new Crashes();
	const spied = spyOnOutput();
	const startedAt = performance.now();
	try {
		const well =
			request.fuzz === undefined
				? await runMatrix(request, say)
				: await runFuzz(request, crashes, say);
		for (const crash of crashes.seen) say(`An error that nobody caught: ${crash}`);
		const leaks = leaksIn(spied.text());
		if (leaks.length > 0) say('A part of a secret was printed.');
		say(`${roughly(performance.now() - startedAt)}`);
		return well && crashes.seen.length === 0 && leaks.length === 0;
	} finally {
		spied.end();
		crashes.stop();
	}
}

async function runMatrix({ only, atOnce }: Request, say: Say): Promise<boolean> {
	const fits = (cell: Pick<RunCell, 'operation' | 'phase' | 'fault'>) =>
		only === undefined ||
		new RegExp(only, 'i').test(`${cell.operation.label}/${cell.phase}/${cell.fault}`);
	const cells = cellsOf(OPERATIONS).filter(fits);
	let count = 0;
	const results = await runCells(builtNodes(), cells, {
		atOnce,
		onDone: (cell) => {
			count += 1;
			const { operation, phase, fault, result, problems } = cell;
			if (problems.length > 0 || only !== undefined)
				say(`${operation.label}/${phase}/${fault}: ${result.title} (${Math.round(result.ms)} ms)`);
			for (const problem of problems) say(`  ${problem.slice(0, 500)}`);
			if (count % 200 === 0) say(`${count} of ${cells.length} cells`);
		},
	});
	const bad = results.filter(({ problems }) => problems.length > 0).length;
	say(`${results.length} cells, ${bad} failed`);
	if (only === undefined) writeDocuments(results);
	return bad === 0 && results.length > 0;
}

function writeDocuments(results: readonly RunCell[]): void {
	write(MATRIX, 'matrix', matrixText(OPERATIONS, results));
	for (const language of ['en', 'zh'] as const)
		write(DOCUMENTS[language], 'matrix', totalsText(results, language));
}

async function runFuzz(
	{ fuzz: count = 0, seed, atOnce }: Request,
	crashes: Crashes,
	say: Say,
): Promise<boolean> {
	const totals = { answered: 0, failed: 0, hung: 0, leaked: 0, bad: 0 };
	let longest = 0;
	const startedAt = performance.now();
	await fuzz(builtNodes(), {
		first: seed,
		count,
		atOnce,
		onDone: (done: FuzzCase) => {
			const { outcome, problems, ms } = done;
			longest = Math.max(longest, ms);
			if (outcome === undefined) totals.hung += 1;
			else if (outcome.failed) totals.failed += 1;
			else totals.answered += 1;
			if (problems.some((problem) => problem.includes('secret'))) totals.leaked += 1;
			if (problems.length === 0) return;
			totals.bad += 1;
			say(`${done.operation.label}, ${done.done.join(' | ')}`);
			for (const problem of problems) say(`  ${problem.slice(0, 500)}`);
			say(`  again: npm run bench -- faults --fuzz 1 --seed ${done.seed}`);
		},
	});
	const took = roughly(performance.now() - startedAt);
	say(`${count} cases, ${totals.bad} failed`);
	if (count >= 1_000) {
		const crashed = crashes.seen.length;
		write(
			DOCUMENTS.en,
			'fuzz',
			`\`npm run bench -- faults --fuzz ${count} --seed ${seed}\`: ${count} cases in ${took}. ${totals.answered} were answered all the same, ${totals.failed} ended with an error that says why. ${totals.hung} hung, ${crashed} crashed, ${totals.leaked} showed a part of a secret. The longest took ${roughly(longest)}.`,
		);
		write(
			DOCUMENTS.zh,
			'fuzz',
			`\`npm run bench -- faults --fuzz ${count} --seed ${seed}\`：共 ${count} 例，用时 ${took}。${totals.answered} 例仍得到回答，${totals.failed} 例以说明原因的错误结束。${totals.hung} 例挂起，${crashed} 例崩溃，${totals.leaked} 例泄露密钥片段。最长一例用时 ${roughly(longest)}。`,
		);
	}
	return totals.bad === 0;
}

function write(file: string, name: string, text: string): void {
	const whole = path.join(process.cwd(), file);
	fs.writeFileSync(whole, putBetween(fs.readFileSync(whole, 'utf8'), name, text));
}

/** Output of the nodes, which n8n writes into its log. */
function spyOnOutput(): { text: () => string; end: () => void } {
	const written: string[] = [];
	const streams = [process.stdout, process.stderr] as const;
	const originals = streams.map((stream) => stream.write.bind(stream));
	streams.forEach((stream, at) => {
		stream.write = ((...given: Parameters<typeof stream.write>) => {
			written.push(String(given[0]));
			return originals[at]!(...given);
		}) as typeof stream.write;
	});
	return {
		text: () => written.join(''),
		end: () => streams.forEach((stream, at) => (stream.write = originals[at]!)),
	};
}
