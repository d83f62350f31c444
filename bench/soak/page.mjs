/** The text of bench/results/soak.md: results of a soak run and of the control. */
import { judge, FLAT_PER_CENT, more, unexpectedRuns, times } from './report.mjs';

/** @typedef {import('./types').TimedSample} TimedSample */
/** @typedef {import('./types').RunRecord} RunRecord */

/**
 * @typedef {object} SoakResult
 * @property {import('./types').SoakPlan} plan
 * @property {string} command
 * @property {Date} date
 * @property {string} machine
 * @property {string} versions
 * @property {number} lastsMs the time that was measured
 * @property {TimedSample[]} samples
 * @property {RunRecord[]} runs
 * @property {number} restarts
 */

const TITLES = {
	own: '## With the nodes of this package',
	control: "## Control: the same load with n8n's own nodes",
};

/** @param {number} value @param {string} unit */
const shown = (value, unit) => (unit === '' ? String(value) : `${value.toFixed(1)} ${unit}`);
/** @param {number} value */
const inPerCent = (value) =>
	Number.isFinite(value) ? `${value > 0 ? '+' : ''}${value.toFixed(1)} %` : '–';
/** @param {number} value */
const counted = (value) => value.toLocaleString('en-US');
/** @param {number} value */
const ms = (value) => (Number.isFinite(value) ? value.toFixed(0) : '–');

/** @param {SoakResult} result */
const verdictRows = ({ samples, runs, lastsMs }) => [
	'| While nothing runs, after a garbage collection | First tenth | Last tenth | Growth | |',
	'|---|---|---|---|---|',
	...judge(samples, runs, lastsMs).map(
		({ name, unit, first, last, growth, judged, flat }) =>
			`| ${name} | ${shown(first, unit)} | ${shown(last, unit)} | ${inPerCent(growth)} | ${judged ? (flat ? 'flat' : '**grows**') : 'not judged'} |`,
	),
];

/** @param {SoakResult} result */
const kindRows = ({ runs, lastsMs }) => [
	'| Workflow | Runs | With a fault | ms, first tenth | ms, last tenth |',
	'|---|---|---|---|---|',
	...[...new Set(runs.map(({ kind }) => kind))].sort().map((kind) => {
		const own = runs.filter((run) => run.kind === kind);
		const faulty = own.filter(({ fault }) => fault !== '').length;
		const { first = NaN, last = NaN } =
			times(runs, lastsMs).rows.find((row) => row.kind === kind) ?? {};
		return `| ${kind} | ${counted(own.length)} | ${counted(faulty)} | ${ms(first)} | ${ms(last)} |`;
	}),
];

/** @param {SoakResult} result */
const faultRows = ({ runs }) => {
	const names = [...new Set(runs.map(({ fault }) => fault))].filter(Boolean).sort();
	const outcomes = /** @type {const} */ (['answered', 'failed', 'left', 'stopped', 'hung']);
	return [
		`| Fault | ${outcomes.join(' | ')} |`,
		`|---|${outcomes.map(() => '---').join('|')}|`,
		...names.map((name) => {
			const own = runs.filter(({ fault }) => fault === name);
			return `| ${name} | ${outcomes.map((outcome) => counted(own.filter((run) => run.outcome === outcome).length)).join(' | ')} |`;
		}),
	];
};

/** @param {SoakResult} result @returns {boolean} */
export const isFlat = ({ samples, runs, lastsMs }) =>
	judge(samples, runs, lastsMs).every(({ judged, flat }) => flat || !judged) &&
	unexpectedRuns(runs).length === 0;

/** @param {SoakResult} result @returns {string} the verdict in one sentence */
export const sentence = (result) => {
	const { samples, runs, lastsMs } = result;
	const growing = judge(samples, runs, lastsMs).filter(({ judged, flat }) => judged && !flat);
	const odd = unexpectedRuns(runs);
	return [
		growing.length === 0
			? `Flat: nothing grew by more than ${FLAT_PER_CENT} %.`
			: `Not flat: ${growing.map(({ name, growth }) => `${name} ${inPerCent(growth)}`).join(', ')}.`,
		odd.length === 0
			? 'No run without a fault failed, and none hung.'
			: `${counted(odd.length)} runs failed without a fault or hung.`,
	].join(' ');
};

/** @param {SoakResult} result @returns {string} */
export const section = (result) => {
	const { plan, command, date, machine, versions, lastsMs, runs, samples, restarts } = result;
	const minutes = lastsMs / 60_000;
	const asked = plan.minutes - minutes > 0.5 ? ` of ${plan.minutes} (stopped)` : '';
	const faulty = runs.filter(({ fault }) => fault !== '').length;
	return [
		plan.control ? TITLES.control : TITLES.own,
		'',
		`\`${command}\`, ${date.toISOString().slice(0, 16).replace('T', ' ')} UTC. ${versions}. ${machine}.`,
		'',
		`${minutes.toFixed(minutes < 10 ? 1 : 0)} minutes${asked} after a warm-up of ${Math.round(plan.warmUpMs / 1000)} s, ${plan.atOnce} clients at once, seed ${plan.seed}: ${counted(runs.length)} runs of workflows, ${counted(faulty)} of them with a fault; ${restarts} times a llama-server was ended and started again. ${samples.length} measurements, one each ${Math.round(plan.intervalMs / 1000)} s.`,
		'',
		sentence(result),
		'',
		...verdictRows(result),
		'',
		...(more(samples).length === 0 ? [] : [`More at the end: ${more(samples).join('; ')}.`, '']),
		'Time of a run: runs without a fault; each against the median of its kind, so that the mix does not count.',
		'',
		...kindRows(result),
		'',
		...faultRows(result),
	].join('\n');
};

const HEAD = [
	'# Soak test',
	'',
	'Written by `npm run bench -- soak --minutes N`, and the control by the same with `--control`. A real n8n with this package, real llama-servers (a scripted model for chat, all-MiniLM-L6-v2 for',
	'vectors) and the Dify simulator of the tests, all on the same cores. Clients run workflows in a fixed random order; proxies in front of the servers make requests fail. Before',
	'each measurement the clients rest until every run is over and kept connections have closed. "error" is a 500, "html" the page of a gateway, "cut" a connection that ends in the',
	'middle of the answer, "leave" a client that goes away, "stop" an execution that is stopped in n8n.',
	'',
	`Flat: the median of the last tenth of the time is at most ${FLAT_PER_CENT} % above that of the first tenth. One more of something that is counted is no growth, since what a run left behind would be there`,
	'for every run. Memory of the process is shown only: what the allocator gives back to the system is up to it.',
].join('\n');

/**
 * @param {string} page as it is now; empty where there is none
 * @param {SoakResult} result replaces the older one of the same sort (own nodes or control)
 * @returns {string}
 */
export const pageWith = (page, result) => {
	/** @param {string} title */
	const old = (title) =>
		page
			.split(/\n(?=## )/)
			.find((block) => block.startsWith(title))
			?.trim();
	const fresh = section(result);
	const own = result.plan.control ? old(TITLES.own) : fresh;
	const control = result.plan.control ? fresh : old(TITLES.control);
	return `${[HEAD, own, control].filter((block) => block !== undefined).join('\n\n')}\n`;
};
