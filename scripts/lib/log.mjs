/**
 * Output of the scripts: every step by name, the progress of a long one, and its duration.
 *
 * On a terminal the running steps are redrawn in place; elsewhere (CI, a pipe) they are printed as lines now and then.
 */

/** @typedef {import('./types').Progress} Progress */
/** @typedef {import('./types').Log} Log */

const PLAIN_INTERVAL_MS = 5_000;
const TTY_INTERVAL_MS = 500;

/**
 * @param {number} ms
 * @returns {string} `0.4 s`, `12 s`, `2 min 05 s`
 */
export const formatDuration = (ms) => {
	const seconds = ms / 1000;
	if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
	const whole = Math.round(seconds);
	if (whole < 60) return `${whole} s`;
	return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
};

/**
 * @param {number} bytes
 * @returns {string} in decimal units, as package registries do
 */
export const formatSize = (bytes) => {
	if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
	return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
};

/**
 * @param {NodeJS.WriteStream | import('node:stream').Writable} out
 * @returns {Log}
 */
export const createLog = (out = process.stdout) => {
	const terminal =
		'isTTY' in out && out.isTTY === true && !process.env.CI && process.env.TERM !== 'dumb';
	/** @type {Set<{ name: string, startedAt: number, state: string, lastLineAt: number }>} */
	const running = new Set();
	/** @type {{ name: string, ms: number, note: string, ok: boolean }[]} */
	const timings = [];
	/** @type {NodeJS.Timeout | undefined} */
	let timer;
	let drawn = 0;

	const erase = () => {
		if (drawn > 0) out.write(`\x1b[${drawn}A\x1b[0J`);
		drawn = 0;
	};
	const draw = () => {
		if (!terminal) return;
		const width = ('columns' in out && out.columns) || 80;
		for (const step of running) {
			const state = step.state ? ` · ${step.state}` : '';
			const text = `  ..  ${step.name} · ${formatDuration(Date.now() - step.startedAt)}${state}`;
			out.write(`${text.slice(0, width - 1)}\n`);
			drawn += 1;
		}
	};
	/** @param {string} text */
	const line = (text = '') => {
		erase();
		out.write(`${text}\n`);
		draw();
	};
	const tick = () => {
		if (terminal) {
			erase();
			draw();
			return;
		}
		for (const step of running) {
			const now = Date.now();
			if (now - step.lastLineAt < PLAIN_INTERVAL_MS) continue;
			step.lastLineAt = now;
			line(
				`  ..  ${step.name}: ${formatDuration(now - step.startedAt)}${step.state ? `, ${step.state}` : ''}`,
			);
		}
	};
	const watch = () => {
		if (running.size > 0 && !timer) {
			timer = setInterval(tick, terminal ? TTY_INTERVAL_MS : 1000);
			timer.unref();
		} else if (running.size === 0 && timer) {
			clearInterval(timer);
			timer = undefined;
		}
	};

	/**
	 * @template T
	 * @param {string} name
	 * @param {(progress: Progress) => Promise<T> | T} work
	 * @returns {Promise<T>}
	 */
	const step = async (name, work) => {
		const entry = { name, startedAt: Date.now(), state: '', lastLineAt: Date.now() };
		let note = '';
		/** @type {Progress} */
		const progress = Object.assign(
			(/** @type {string} */ state) => {
				entry.state = state.replace(/\s+/g, ' ').trim();
			},
			{
				note: (/** @type {string} */ text) => {
					note = text;
				},
			},
		);
		running.add(entry);
		watch();
		let ok = false;
		try {
			const result = await work(progress);
			ok = true;
			return result;
		} finally {
			running.delete(entry);
			const ms = Date.now() - entry.startedAt;
			timings.push({ name, ms, note, ok });
			line(`  ${ok ? 'ok   ' : 'FAIL '}${name}${note ? ` (${note})` : ''} ${formatDuration(ms)}`);
			watch();
		}
	};

	return { line, step, timings, terminal };
};
