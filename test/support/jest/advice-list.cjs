/** After all tests: one list of the suggestions that they produced, a line each, with what was known. */
const fs = require('node:fs');
const path = require('node:path');

/**
 * The same suggestion with other names and numbers.
 *
 * @param {string} text
 */
const toForm = (text) => text.replace(/"[^"]*"|“[^”]*”/g, '"…"').replace(/\d+(?:[.,]\d+)*/g, 'N');

module.exports = () => {
	const file = path.resolve(String(process.env.RECORD_ADVICE));
	const folder = path.dirname(file);
	const parts = fs
		.readdirSync(folder)
		.filter((name) => name.startsWith(`${path.basename(file)}.`))
		.map((name) => path.join(folder, name));
	/** @type {Map<string, object & { count: number }>} */
	const rows = new Map();
	for (const part of parts) {
		for (const line of fs.readFileSync(part, 'utf8').split('\n').filter(Boolean)) {
			const advice = JSON.parse(line);
			const key = [advice.type, advice.facts.join(','), toForm(advice.suggestion)].join('\n');
			const { count = 0, ...known } = rows.get(key) ?? advice;
			rows.set(key, { count: count + 1, ...known });
		}
		fs.rmSync(part);
	}
	const sorted = [...rows].sort(([one], [other]) => (one < other ? -1 : 1));
	fs.writeFileSync(file, sorted.map(([, row]) => `${JSON.stringify(row)}\n`).join(''));
};
