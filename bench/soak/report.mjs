/** Judges a soak run. Pure functions. */

/** @typedef {import('./types').TimedSample} TimedSample */
/** @typedef {import('./types').RunRecord} RunRecord */
/** @typedef {import('./types').Verdict} Verdict */

export const FLAT_PER_CENT = 5;

/** @param {readonly number[]} values */
export const median = (values) => {
	if (values.length === 0) return NaN;
	const sorted = [...values].sort((one, other) => one - other);
	const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
	return middle.reduce((sum, value) => sum + value, 0) / middle.length;
};

/** @param {Record<string, number>} counts */
const sum = (counts) => Object.values(counts).reduce((all, count) => all + count, 0);
/** @param {Record<string, number>} counts @param {RegExp} names */
const sumOf = (counts, names) =>
	sum(Object.fromEntries(Object.entries(counts).filter(([name]) => names.test(name))));

const MEGABYTE = 2 ** 20;

/** @type {Array<{ name: string, unit: 'MB' | '', judged: boolean, read: (sample: TimedSample) => number }>} */
export const MEASURES = [
	{
		name: 'JavaScript heap',
		unit: 'MB',
		judged: true,
		read: ({ heapUsed }) => heapUsed / MEGABYTE,
	},
	{
		name: 'Memory outside of the heap',
		unit: 'MB',
		judged: true,
		read: ({ external }) => external / MEGABYTE,
	},
	{
		name: 'Memory of the process (RSS)',
		unit: 'MB',
		judged: false,
		read: ({ rss }) => rss / MEGABYTE,
	},
	{
		name: 'Open sockets',
		unit: '',
		judged: true,
		read: ({ resources }) => sumOf(resources, /^(TCP|TLS|Pipe)/),
	},
	{ name: 'Socket objects', unit: '', judged: true, read: ({ sockets }) => sockets },
	{ name: 'File handles', unit: '', judged: true, read: ({ fileHandles }) => sum(fileHandles) },
	{
		name: 'of these, sockets',
		unit: '',
		judged: true,
		read: ({ fileHandles }) => fileHandles.socket ?? 0,
	},
	{ name: 'Pending timers', unit: '', judged: true, read: ({ timers }) => sum(timers) },
	{
		name: 'Listeners of process, servers and sockets',
		unit: '',
		judged: true,
		read: ({ listeners }) => listeners,
	},
	{
		name: 'Listeners of abort signals',
		unit: '',
		judged: true,
		read: ({ abortListeners }) => abortListeners,
	},
	{ name: 'Abort signals', unit: '', judged: true, read: ({ abortSignals }) => abortSignals },
	{ name: 'Connection pools of the package', unit: '', judged: true, read: ({ pools }) => pools },
	{
		name: "Entries in the package's caches",
		unit: '',
		judged: true,
		read: ({ caches }) => sum(caches),
	},
];

/**
 * The first and the last tenth of the measured time, at least one value each.
 *
 * @template T
 * @param {readonly T[]} values in the order of time
 * @returns {{ first: T[], last: T[] }}
 */
export const tenths = (values) => {
	const count = Math.max(1, Math.round(values.length / 10));
	return { first: values.slice(0, count), last: values.slice(-count) };
};

/**
 * @param {string} name
 * @param {string} unit
 * @param {boolean} judged
 * @param {number} first
 * @param {number} last
 * @returns {Verdict} one more of a counted thing is no growth: a leak of runs would show a thousand times
 */
export const verdictOf = (name, unit, judged, first, last) => {
	const growth = first === last ? 0 : ((last - first) / first) * 100;
	const isOneMore = unit === '' && last - first <= 1;
	return { name, unit, judged, first, last, growth, flat: isOneMore || !(growth > FLAT_PER_CENT) };
};

/**
 * Names of counted things that there are more of at the end, with both numbers.
 *
 * @param {readonly TimedSample[]} samples
 * @returns {string[]}
 */
export const more = (samples) => {
	const { first, last } = tenths(samples);
	return /** @type {const} */ (['timers', 'resources', 'fileHandles', 'caches']).flatMap(
		(group) => {
			const names = [...new Set(last.flatMap((sample) => Object.keys(sample[group])))];
			return names.flatMap((name) => {
				/** @param {readonly TimedSample[]} some */
				const of = (some) => median(some.map((sample) => sample[group][name] ?? 0));
				const [before, now] = [of(first), of(last)];
				return now > before ? [`${name} ${before} → ${now}`] : [];
			});
		},
	);
};

/**
 * Whether a run's time counts: nothing went wrong, and no server was restarted meanwhile.
 *
 * @param {RunRecord} run
 */
const counts = ({ fault, disturbed, outcome }) =>
	fault === '' && !disturbed && outcome === 'answered';

/**
 * Durations of runs in the first and the last tenth. Kinds of runs take different times, and the mix differs a little
 * between tenths: so each is divided by the median of its kind.
 *
 * @param {readonly RunRecord[]} runs
 * @param {number} lastsMs
 */
export const times = (runs, lastsMs) => {
	const clean = runs.filter(counts);
	const kinds = [...new Set(clean.map(({ kind }) => kind))];
	const tenth = lastsMs / 10;
	/** @param {readonly RunRecord[]} some */
	const early = (some) => some.filter(({ atMs }) => atMs < tenth);
	/** @param {readonly RunRecord[]} some */
	const late = (some) => some.filter(({ atMs }) => atMs >= lastsMs - tenth);
	const rows = kinds.map((kind) => {
		const own = clean.filter((run) => run.kind === kind);
		const usual = median(own.map(({ ms }) => ms));
		/** @param {readonly RunRecord[]} some */
		const of = (some) => median(some.map(({ ms }) => ms));
		return { kind, runs: own.length, usual, first: of(early(own)), last: of(late(own)) };
	});
	const usual = new Map(rows.map((row) => [row.kind, row.usual]));
	const overall = median(clean.map(({ ms }) => ms));
	/** @param {readonly RunRecord[]} some */
	const against = (some) => median(some.map(({ kind, ms }) => ms / (usual.get(kind) ?? NaN)));
	return {
		rows,
		verdict: verdictOf(
			'Time of a run',
			'ms',
			true,
			overall * against(early(clean)),
			overall * against(late(clean)),
		),
	};
};

/**
 * @param {readonly TimedSample[]} samples
 * @param {readonly RunRecord[]} runs
 * @param {number} lastsMs
 * @returns {Verdict[]}
 */
export const judge = (samples, runs, lastsMs) => {
	const { first, last } = tenths(samples);
	return [
		...MEASURES.map(({ name, unit, judged, read }) =>
			verdictOf(name, unit, judged, median(first.map(read)), median(last.map(read))),
		),
		times(runs, lastsMs).verdict,
	];
};

/** Runs that hung, or failed without a fault. @param {readonly RunRecord[]} runs */
export const unexpectedRuns = (runs) =>
	runs.filter(
		({ fault, outcome, disturbed }) =>
			outcome === 'hung' || (outcome === 'failed' && !disturbed && fault === ''),
	);
