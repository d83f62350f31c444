/** Pictures of the documents: `docs/images` holds exactly those that a document names. */
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { filesBelow, root } from '../system/paths.mjs';

export const IMAGES = 'docs/images';
/** A README with its pictures should open at once. */
export const LARGEST_BYTES = 150_000;

/** @returns {string[]} every document of the project, from its root */
export const documents = () => [
	...['README.md', 'README.zh-CN.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
	...['workflows/README.md', 'workflows/README.zh-CN.md'],
	...filesBelow(join(root, 'docs'))
		.map((file) => file.slice(root.length + 1).replaceAll('\\', '/'))
		.filter((file) => file.endsWith('.md')),
];

/**
 * @param {string} file a document, from the project's root
 * @returns {string[]} the pictures that it shows or links to, from the project's root
 */
export const findImages = (file) => {
	const text = readFileSync(join(root, file), 'utf8');
	const links = [...text.matchAll(/\]\(([^)\s]+)\)|\ssrc(?:set)?="([^"]+)"/g)].map(
		([, link, source]) => link ?? source ?? '',
	);
	return links
		.filter((link) => /\.(png|jpe?g|gif|webp|svg)$/i.test(link) && !/^https?:/.test(link))
		.map((link) => posix.normalize(posix.join(dirname(file), link)));
};

/** @returns {string[]} the pictures that documents name, each once, from the project's root */
export const listImages = () => [...new Set(documents().flatMap(findImages))].sort();
