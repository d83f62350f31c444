/** Judges a soak run, and writes its report. Pure functions. */

/** @typedef {import('./types').Sample} Sample */
/** @typedef {import('./types').RunRecord} RunRecord */
/** @typedef {{ name: string, unit: string, judged: boolean, first: number, last: number, growth: number, flat: boolean }} Verdict */
/**
 * @typedef {object} SoakResult
 * @property {import('./types').SoakPlan} plan
 * @property {string} command
 * @property {string} versions of n8n and Node
 * @property {number} lastsMs the time that was measured
 * @property {Sample[]} samples
 * @property {RunRecord[]} runs
 */

const FLAT_PER_CENT = 5;
const MEGABYTE = 2 ** 20;

/** @param {readonly number[]} values */
const median = (values) => {
	const sorted = [...values].sort((one, other) => one - other);
	const [low = NaN, high = NaN] = [sorted.length - 1, sorted.length].map(
		(twice) => sorted[Math.floor(twice / 2)],
	);
	return (low + high) / 2;
};

/** @type {Array<[name: string, unit: 'MB' | '', judged: boolean, key: keyof Sample]>} */
const MEASURES = [
	['JavaScript heap', 'MB', true, 'heapUsed'],
	['Memory outside of the heap', 'MB', true, 'external'],
	['Memory of the process (RSS)', 'MB', false, 'rss'],
	['Open sockets', '', true, 'openSockets'],
	['Socket objects', '', true, 'sockets'],
	['Timers', '', true, 'timers'],
	['Listeners of abort signals', '', true, 'abortListeners'],
	['Abort signals', '', true, 'abortSignals'],
	['Connection pools of the package', '', true, 'pools'],
];

/**
 * @param {string} name
 * @param {string} unit
 * @param {boolean} judged
 * @param {number} first
 * @param {number} last
 * @returns {Verdict} one additional object is not growth: a leak of runs would show a thousand times
 */
const compareFigures = (name, unit, judged, first, last) => {
	const growth = first === last ? 0 : ((last - first) / first) * 100;
	const isOneMore = unit === '' && last - first <= 1;
	return { name, unit, judged, first, last, growth, flat: isOneMore || !(growth > FLAT_PER_CENT) };
};

/**
 * Durations in the first and the last tenth of the time. Types of runs take different times, and the mix differs a little
 * between tenths: so each is divided by the median of its type.
 *
 * @param {readonly RunRecord[]} runs
 * @param {number} lastsMs
 */
const timeVerdict = (runs, lastsMs) => {
	const clean = runs.filter(({ fault, outcome }) => fault === '' && outcome === 'answered');
	const usual = new Map(
		clean.map(({ profile }) => [
			profile,
			median(clean.filter((run) => run.profile === profile).map(({ ms }) => ms)),
		]),
	);
	/** @param {(atMs: number) => boolean} when */
	const against = (when) =>
		median(
			clean
				.filter(({ atMs }) => when(atMs))
				.map(({ profile, ms }) => ms / (usual.get(profile) ?? NaN)),
		);
	const overall = median(clean.map(({ ms }) => ms));
	const earlyMs = overall * against((atMs) => atMs < lastsMs / 10);
	const lateMs = overall * against((atMs) => atMs >= lastsMs * 0.9);
	return compareFigures('Time of a run', 'ms', true, earlyMs, lateMs);
};

/** @param {Pick<SoakResult, 'samples' | 'runs' | 'lastsMs'>} result @returns {Verdict[]} the first tenth against the last */
export const judge = ({ samples, runs, lastsMs }) => {
	const count = Math.max(1, Math.round(samples.length / 10));
	const [first, last] = [samples.slice(0, count), samples.slice(-count)];
	const rows = MEASURES.map(([name, unit, judged, key]) => {
		const scale = unit === 'MB' ? MEGABYTE : 1;
		const of = (/** @type {Sample[]} */ some) => median(some.map((sample) => sample[key] / scale));
		return compareFigures(name, unit, judged, of(first), of(last));
	});
	return [...rows, timeVerdict(runs, lastsMs)];
};

/** Runs that hung, or failed without a fault. @param {readonly RunRecord[]} runs */
export const unexpectedRuns = (runs) =>
	runs.filter(({ fault, outcome }) => outcome === 'hung' || (outcome === 'failed' && fault === ''));

/** @param {SoakResult} result */
export const isFlat = (result) =>
	judge(result).every(({ judged, flat }) => flat || !judged) &&
	unexpectedRuns(result.runs).length === 0;

/** @param {number} value @param {string} unit */
const formatValue = (value, unit) => (unit === '' ? String(value) : `${value.toFixed(1)} ${unit}`);

/** @param {SoakResult} result @returns {string} Markdown */
export const formatReport = (result) => {
	const { plan, command, versions, lastsMs, runs, samples } = result;
	const faulty = runs.filter(({ fault }) => fault !== '').length;
	const odd = unexpectedRuns(runs);
	const rows = judge(result).map(({ name, unit, first, last, growth, judged, flat }) => {
		const verdict = judged ? (flat ? 'flat' : '**grows**') : 'not judged';
		return `| ${name} | ${formatValue(first, unit)} | ${formatValue(last, unit)} | ${growth.toFixed(1)} % | ${verdict} |`;
	});
	return [
		'# Soak test',
		'',
		`Written by \`${command}\`. A real n8n with this package, real llama-servers (a scripted model for chat, one of random weights for vectors) and the Dify simulator of the tests, all on the same cores. Clients run workflows in a fixed random order; proxies in front of the servers make one request in five fail. Before each measurement the clients rest until every run is over and kept connections have closed.`,
		`Flat: the median of the last tenth of the time is at most ${FLAT_PER_CENT} % above that of the first tenth. One more of something that is counted is no growth. ${versions}.`,
		'',
		`${(lastsMs / 60_000).toFixed(1)} minutes, ${plan.concurrency} concurrent clients, seed ${plan.seed}: ${runs.length} runs of workflows, ${faulty} of them with a fault; ${samples.length} measurements. ${odd.length} runs failed without a fault or hung.`,
		'',
		'| While nothing runs, after a garbage collection | First tenth | Last tenth | Growth | |',
		'|---|---|---|---|---|',
		...rows,
		'',
	].join('\n');
};
