/**
 * `npm run languages`: warns of Chinese pages whose structure differs from the English page, and of words that the
 * Chinese pages write differently elsewhere. An edit of one page may come before its translation, so this is no test.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { remark } from 'remark';
import { createLog } from './lib/system/log.mjs';
import { main } from './lib/system/script-main.mjs';
import { root } from './lib/system/paths.mjs';
import { documents } from './lib/checks/pictures.mjs';

const CHINESE = '.zh-CN.md';
const PAGES = documents().filter((file) => file.endsWith(CHINESE));

/** Preferred terms, and synonyms that pages should not use. */
const GLOSSARY = /** @type {const} */ ([
	['凭证', /凭据/],
	['智能体', /(?<!AI )(?<![A-Za-z-])(?:agents?|Agent)(?![A-Za-z-])|代理人/],
	['槽位', /插槽|(?<![A-Za-z-])slots?(?![A-Za-z-])/],
	['提供方', /提供商|提供者|供应商/],
	['数据项', /(?<![A-Za-z.-])items?(?![A-Za-z-])/],
	['重排', /重排序/],
	['你', /您/],
]);
/** Text that is not checked: labels of the editor, quoted messages with translation, Dify's menu. */
const QUOTED = /(?<!\*)\*(?!\*)[^*\n]+\*(?!\*)|“[^”\n]*”(?=（)|（设置 → 模型供应商）/g;

/**
 * @typedef {object} Node
 * @property {string} type
 * @property {string} [value]
 * @property {string} [url]
 * @property {number} [depth]
 * @property {Node[]} [children]
 */

/** @param {string} file */
const read = (file) => readFileSync(join(root, file), 'utf8');

/** @param {string} file @returns {Node[]} its nodes in the order of the page */
const nodesOf = (file) => {
	/** @type {(node: Node) => Node[]} */
	const below = (node) => {
		// Names of examples are not translated.
		const children = node.url?.endsWith('.json') ? [] : (node.children ?? []);
		return [node, ...children.flatMap(below)];
	};
	return below(/** @type {Node} */ (remark().parse(read(file))));
};

/** @param {string} url */
const isLocal = (url) => !/^https?:|^#/.test(url);

/** @param {string} file @returns {Record<string, string[]>} what a translation keeps */
const structureOf = (file) => {
	const nodes = nodesOf(file);
	const urls = nodes.flatMap(({ url }) => url ?? []);
	return {
		headings: nodes.filter(({ type }) => type === 'heading').map(({ depth }) => `level ${depth}`),
		'code blocks': nodes.filter(({ type }) => type === 'code').map(({ value }) => value ?? ''),
		links: urls
			.map((url) => url.replace(CHINESE, '.md').replace(/#.*/, ''))
			.filter((url) => basename(url) !== basename(file).replace(CHINESE, '.md'))
			.sort(),
	};
};

/** @param {string} file a Chinese page @returns {string[]} */
const differencesOf = (file) => {
	const english = structureOf(file.replace(CHINESE, '.md'));
	return Object.entries(structureOf(file)).flatMap(([part, chinese]) => {
		const at = Math.max(chinese.length, english[part]?.length ?? 0);
		const first = Array.from({ length: at }, (_, index) => index).find(
			(index) => chinese[index] !== english[part]?.[index],
		);
		if (first === undefined) return [];
		return `${part}: number ${first + 1} is ${JSON.stringify(chinese[first])}, in English ${JSON.stringify(english[part]?.[first])}`;
	});
};

/** @param {string} file a Chinese page @returns {string[]} links to English pages that have a Chinese one */
const foreignLinksOf = (file) =>
	nodesOf(file)
		.flatMap(({ url }) => (url !== undefined && isLocal(url) ? url.replace(/#.*/, '') : []))
		.filter((url) => url.endsWith('.md') && !url.includes(CHINESE))
		.filter((url) => url !== basename(file).replace(CHINESE, '.md'))
		.filter((url) => PAGES.includes(posix.join(dirname(file), url).replace(/\.md$/, CHINESE)))
		.map((url) => `links to the English ${url}`);

/** @param {string} file a Chinese page @returns {string[]} */
const wordsOf = (file) => {
	const text = nodesOf(file)
		.flatMap(({ type, value }) => (type === 'text' ? (value ?? '') : []))
		.join('\n')
		.replace(QUOTED, ' ');
	return GLOSSARY.flatMap(([word, others]) => {
		const found = others.exec(text);
		return found === null ? [] : `“${found[0]}” is ${word} on the other pages`;
	});
};

await main(async () => {
	const log = createLog();
	const warnings = PAGES.flatMap((file) =>
		[...differencesOf(file), ...foreignLinksOf(file), ...wordsOf(file)].map(
			(warning) => `${file}: ${warning}`,
		),
	);
	for (const warning of warnings) log.line(`warning  ${warning}`);
	log.line(`${PAGES.length} Chinese pages, ${warnings.length} warnings`);
	return 0;
});
