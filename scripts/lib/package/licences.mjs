/** The licences of everything that was bundled. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../system/paths.mjs';

/** The text of the MIT licence, without the line that names who has the copyright. */
const MIT = readFileSync(join(root, 'node_modules', 'undici', 'LICENSE'), 'utf8')
	.replace(/^[^]*?(?=Permission is hereby granted)/, '')
	.trim();

/** Works of others inside a package, by the path of their files. */
const INSIDE = [
	{
		path: 'node_modules/undici/lib/llhttp/',
		name: 'llhttp',
		title: 'llhttp, in undici (MIT)',
		text: `Copyright Fedor Indutny, 2018.\n\n${MIT}`,
	},
];

/**
 * @param {string[]} files paths of the bundled files
 * @returns {string[]} names of the packages that they belong to, and of the works inside these
 */
export const bundledWorks = (files) => {
	const packages = files.flatMap(
		(file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
	);
	const inside = INSIDE.filter(({ path }) => files.some((file) => file.includes(path)));
	return [...new Set([...packages, ...inside.map(({ name }) => name)])].sort();
};

/** @param {string} name @returns {string} title and text of a licence */
const formatLicense = (name) => {
	const inside = INSIDE.find((work) => work.name === name);
	if (inside !== undefined) return `${inside.title}\n\n${inside.text}\n`;
	const folder = join(root, 'node_modules', name);
	const { version, license, author } = JSON.parse(
		readFileSync(join(folder, 'package.json'), 'utf8'),
	);
	const file = ['LICENSE', 'LICENSE.txt'].map((own) => join(folder, own)).find(existsSync);
	if (file !== undefined)
		return `${name} ${version} (${license})\n\n${readFileSync(file, 'utf8').trim()}\n`;
	// @cfworker/json-schema has no copy of its licence in the package.
	if (license !== 'MIT') throw new Error(`${name} has no copy of its licence, ${license}`);
	return `${name} ${version} (${license})\n\nCopyright ${author}\n\n${MIT}\n`;
};

/** @param {string[]} files paths of the bundled files @returns {string} content of THIRD-PARTY-LICENSES.txt */
export const thirdPartyLicences = (files) =>
	`This package contains:\n\n${bundledWorks(files).map(formatLicense).join('\n---\n\n')}`;
