/** Output of the scripts: the name of each step, the progress of long ones, and how long each took. */

const INTERVAL_MS = 5_000;

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

/** @returns {import('../types').Log} */
export const createLog = () => {
	const line = (text = '') => void process.stdout.write(`${text}\n`);

	/** @type {import('../types').Log['step']} */
	const step = async (name, work) => {
		const startedAt = Date.now();
		const duration = () => formatDuration(Date.now() - startedAt);
		let state = '';
		let note = '';
		const progress = Object.assign(
			(/** @type {string} */ text) => {
				state = text.replace(/\s+/g, ' ').trim();
			},
			{
				note: (/** @type {string} */ text) => {
					note = text;
				},
			},
		);
		const timer = setInterval(
			() => line(`  ..  ${name}: ${duration()}${state ? `, ${state}` : ''}`),
			INTERVAL_MS,
		);
		let ok = false;
		try {
			const result = await work(progress);
			ok = true;
			return result;
		} finally {
			clearInterval(timer);
			line(`  ${ok ? 'ok   ' : 'FAIL '}${name}${note ? ` (${note})` : ''} ${duration()}`);
		}
	};

	return { line, step };
};
