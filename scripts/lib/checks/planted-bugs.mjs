/** Bugs that StrykerJS planted in a file, and those that no test noticed. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../system/paths.mjs';

/** @typedef {{ line: number, column: number }} Place from 1 */

/**
 * @typedef {object} Mutant
 * @property {string} status `Killed`, `Timeout`, `Survived`, `NoCoverage` and others
 * @property {string} mutatorName
 * @property {string} [replacement]
 * @property {{ start: Place, end: Place }} location
 */

/** @typedef {{ source: string, mutants: Mutant[] }} MutatedFile */

const MAX_CODE_LENGTH = 80;

/** @param {Mutant} mutant */
const isUnnoticed = ({ status }) => ['Survived', 'NoCoverage'].includes(status);

/** @param {Mutant[]} mutants @returns {{ noticed: number, total: number }} */
export const readScore = (mutants) => {
	const noticed = mutants.filter(({ status }) => ['Killed', 'Timeout'].includes(status)).length;
	return { noticed, total: noticed + mutants.filter(isUnnoticed).length };
};

/** @param {string} code @returns {string} on one line, without backticks, and not too long */
const shorten = (code) => {
	const line = code.replace(/\s+/g, ' ').replaceAll('`', "'").trim();
	return line.length > MAX_CODE_LENGTH ? `${line.slice(0, MAX_CODE_LENGTH)}…` : line;
};

/**
 * @param {string} source
 * @param {Mutant['location']} location
 * @returns {string} the code that a bug replaces
 */
const codeAt = (source, { start, end }) => {
	const lines = source.split('\n').slice(start.line - 1, end.line);
	lines.push((lines.pop() ?? '').slice(0, end.column - 1));
	return lines.join('\n').slice(start.column - 1);
};

/**
 * @param {string} file
 * @param {MutatedFile} mutated
 * @returns {string} a section of Markdown; empty if tests noticed all bugs
 */
export const describeSurvivors = (file, { source, mutants }) => {
	const survivors = mutants
		.filter(isUnnoticed)
		.toSorted((a, b) => a.location.start.line - b.location.start.line);
	if (survivors.length === 0) return '';
	const rows = survivors.map(
		({ location, mutatorName, replacement = '', status }) =>
			`- line ${location.start.line}, ${mutatorName}${status === 'NoCoverage' ? ', no test' : ''}: ` +
			`\`${shorten(codeAt(source, location))}\` → \`${shorten(replacement)}\``,
	);
	const { total } = readScore(mutants);
	return `## ${file}: ${survivors.length} of ${total}\n\n${rows.join('\n')}\n`;
};

/**
 * @param {string[]} files from the root
 * @param {string} shard `2/5`: the second of five parts of about the same size
 * @returns {string[]} sorted by name
 * @throws on anything else
 */
export const takeShard = (files, shard) => {
	const [, part = 0, total = 0] = (/^(\d+)\/(\d+)$/.exec(shard) ?? []).map(Number);
	if (part < 1 || part > total) throw new Error(`--shard=${shard} is not a part such as 1/5.`);
	const size = (/** @type {string} */ file) => statSync(join(root, file)).size;
	return files
		.toSorted((a, b) => size(b) - size(a))
		.filter((_file, at) => at % total === part - 1)
		.sort();
};
