/**
 * A jest transform for TypeScript's CommonJS output: re-exports are loaded on first use.
 *
 * Every test file loads its modules again, and the index of n8n-workflow loads zod, luxon and JavaScript parsers too,
 * although tests need little of it. That was more than a quarter of the time of all tests.
 */
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');

const REQUIRED =
	/^(?:const|var) (\w+) = ((?:__import(?:Star|Default)\()?require\("[^"]+"\)\)?);$/gm;
const NAMESPACE = /^exports\.(\w+) = (__importStar\(require\("[^"]+"\)\)|\(\w+\(\)\));$/gm;
const STAR = /^__exportStar\(require\(("[^"]+")\), exports\);$/gm;

/** @param {string} name @param {string} value */
const property = (name, value) =>
	`Object.defineProperty(exports, "${name}", { enumerable: true, configurable: true, get: () => ${value} });`;

/**
 * @param {string} source
 * @param {string} file
 */
const lazy = (source, file) => {
	const names = [...source.matchAll(REQUIRED)].map(([, name]) => name);
	const uses = new RegExp(`(?<![.$\\w"'])(?:${names.join('|') || '(?!)'})(?![$\\w"'])`, 'g');
	const pieces = source.split(REQUIRED);
	let code = '';
	for (let at = 0; at < pieces.length; at += 3) {
		const [text = '', name, value] = pieces.slice(at, at + 3);
		code += text.replace(uses, (used) => `(${used}())`);
		if (name !== undefined) code += `let $${name}; const ${name} = () => ($${name} ??= ${value});`;
	}
	return code
		.replace(NAMESPACE, (_line, name, value) => property(name, value))
		.replace(STAR, (_line, from) =>
			Object.keys(createRequire(file)(JSON.parse(from)))
				.map((name) => `"${name}" in exports || ${property(name, `require(${from}).${name}`)}`)
				.join(' '),
		);
};

module.exports = {
	/**
	 * @param {string} source
	 * @param {string} file
	 */
	process: (source, file) => ({ code: lazy(source, file) }),
	/**
	 * @param {string} source
	 * @param {string} file
	 */
	getCacheKey: (source, file) =>
		createHash('sha256')
			.update(readFileSync(__filename))
			.update(file)
			.update(source)
			.digest('hex')
			.slice(0, 32),
};
