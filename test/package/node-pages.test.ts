/** The pages of the nodes name their operations, fields, options, values, and names in items and logs. */
import type {
	INodeProperties,
	INodePropertyCollection,
	INodePropertyOptions,
	INodeTypeDescription,
} from 'n8n-workflow';
import ts from 'typescript';

import * as fs from 'node:fs';
import path from 'node:path';
import { anchorsOf, headingsOf, linksOf } from './markdown';
import { isWriting } from '../support/approved/is-writing';
import { readRows } from '../support/files/rows';
import { loadCredentials, loadNode, NODES, read, SOURCES } from './sources';

const CHINESE = '.zh-CN.md';

/** Every name and every text in the source, by the compiler's parser: comments do not count. */
const source = SOURCES.flatMap((file) => {
	const texts: string[] = [];
	const visit = (node: ts.Node): void => {
		if (
			ts.isIdentifier(node) ||
			ts.isLiteralExpression(node) ||
			ts.isTemplateHead(node) ||
			ts.isTemplateMiddleOrTemplateTail(node)
		)
			texts.push(node.text);
		ts.forEachChild(node, visit);
	};
	visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest));
	return texts;
});
const sourceNames = new Set(source);

const withoutBlocks = (markdown: string) => markdown.replace(/^```.*?^```/gms, '');

/** Labels in italics, without emphasis of a word in lower case. */
function italicsIn(markdown: string): string[] {
	const text = withoutBlocks(markdown).replace(/`[^`\n]*`/g, '');
	return [...text.matchAll(/(?<![*\w])\*(\p{Lu}[^*\n]*(?:\n[^*\n]+)?)\*(?!\*)/gu)].map(
		([, label]) => label!.replace(/\s+/g, ' '),
	);
}

/** "Text: Chat" and "Server Health → Check" are a resource or node and its operation; "Get Many" is one label. */
const partsOf = (label: string) => label.split(/: | → /);

/** Names of fields and values: `messageId`, `forms[0].formContent`; not `--metrics`, `FILES_URL`, `{"a": 1}`. */
function namesInCode(markdown: string): string[] {
	return [...withoutBlocks(markdown).matchAll(/`([a-z]\w*(?:\[\d+\]|\.[a-z]\w*)*)`/gi)]
		.map(([, name]) => name!)
		.filter((name) => !/^[A-Z][A-Z_]+$/.test(name))
		.flatMap((name) => name.split(/\[\d+\]|\./))
		.filter((name) => name !== '');
}

/** All names that a panel shows, without units. */
function labelsShownIn(
	shown: INodeProperties | INodePropertyCollection | INodePropertyOptions,
): string[] {
	const own = 'displayName' in shown ? shown.displayName.replace(/ \(Seconds\)$/, '') : shown.name;
	const inner = [
		...('options' in shown ? (shown.options ?? []) : []),
		...('values' in shown ? shown.values : []),
	];
	return [own, ...inner.flatMap(labelsShownIn)];
}

async function labelsShownBy(folder: string): Promise<string[]> {
	const { displayName, properties, outputNames = [] } = (await loadNode(folder)).description;
	return [displayName, ...outputNames, ...properties.flatMap(labelsShownIn)];
}

describe('docs/nodes', () => {
	/** `LocalChatModel` → `docs/nodes/local-chat-model.md` */
	const pageOf = (folder: string) =>
		`docs/nodes/${folder.replace(/\B[A-Z]/g, '-$&').toLowerCase()}.md`;

	/** Labels of fields and options, without units, and without labels of collections. */
	const labelsOf = (property: INodeProperties | INodePropertyCollection): string[] => {
		const own = property.displayName.replace(/ \(Seconds\)$/, '');
		if (!('type' in property) || property.type !== 'collection') return [own];
		return (property.options ?? []).flatMap((option) =>
			'displayName' in option ? labelsOf(option) : [],
		);
	};

	async function described(
		folder: string,
	): Promise<{ description: INodeTypeDescription; page: string }> {
		return { description: (await loadNode(folder)).description, page: pageOf(folder) };
	}

	/** All operations of a node as named on its page: "Document: Sync"; without resources "Rate". */
	function operationsOf({ properties }: INodeTypeDescription): string[] {
		const resources = properties.find(({ name }) => name === 'resource')?.options as
			| INodePropertyOptions[]
			| undefined;
		const operationFields = properties.filter(({ name }) => name === 'operation');
		return operationFields.flatMap(({ options, displayOptions }) => {
			const resource = resources?.find(({ value }) =>
				displayOptions?.show?.resource?.includes(value),
			)?.name;
			return (options as INodePropertyOptions[]).map(({ name }) =>
				resource === undefined ? name : `${resource}: ${name}`,
			);
		});
	}

	/**
	 * Operations that a page names in a heading ("Image: Generate, Edit"), in the first cells of a row ("Image" and
	 * "Generate, Edit"), or in a row below a heading with the resource's plural ("Models").
	 */
	function operationsIn(page: string): Set<string> {
		const qualifiedNames = (resource: string, names: string) =>
			namesIn(names).flatMap((name) => [
				name,
				`${resource.trim()}: ${name}`,
				`${resource.trim().replace(/s$/, '')}: ${name}`,
			]);
		return new Set(
			headingsOf(page).flatMap(({ title, text }) => {
				const [resource, names] = title.split(':') as [string, string?];
				const rows = text.split('\n').filter((line) => line.startsWith('|'));
				const cells = rows.map((row) => row.split('|').slice(1, -1) as [string, string?]);
				return [
					...(names === undefined ? [] : qualifiedNames(resource, names)),
					...cells.flatMap(([first, second = '']) => [
						first.trim(),
						...qualifiedNames(first, second),
						...qualifiedNames(title, first),
					]),
				];
			}),
		);
	}

	/** Names in a list, without explanations: "Rename (a *Name*), Delete". */
	function namesIn(list: string): string[] {
		return list
			.replace(/[（(][^（()）]*[)）]/g, '')
			.split(/[,;]/)
			.map((name) => name.replace(/:.*/s, '').trim());
	}

	it.each(NODES)('has a row for every operation of %s', async (folder) => {
		const { description, page } = await described(folder);
		const rows = operationsIn(read(page));
		const missing = operationsOf(description).filter((operation) => !rows.has(operation));
		expect({ page, missing }).toEqual({ page, missing: [] });
	});

	// The first of those that compare labels: it writes what the others read.
	it.each(NODES)('has the lists of names of %s from the definitions', async (folder) => {
		const { description, page } = await described(folder);
		const before = read(page);
		const sections = headingsOf(before).map((section) => ({
			...section,
			fields: fieldsOfSection(description, section.title),
		}));
		// What is not about one operation is about all of them.
		const common = sections.filter(({ fields }) => fields.size === 0).map(({ text }) => text);
		const after = sections.reduce((markdown, { title, text, fields }) => {
			const own = sections.filter((section) => section.title === title).map((one) => one.text);
			// A node without operations is one topic.
			const isWhole = common.length === 0;
			const known = withLinkedSections(isWhole ? before : [...own, ...common].join('\n'), page);
			const missing = [...fields.keys()].filter((label) =>
				label.split(': ').some((part) => !known.includes(part.toLowerCase())),
			);
			return markdown.replace(text, () => writeNames(text, fields, missing));
		}, before);
		if (isWriting) fs.writeFileSync(page, after);
		expect({ page, text: read(page) }).toEqual({ page, text: after });
	});

	it.each(NODES)('names every field and option of %s', async (folder) => {
		const { description, page } = await described(folder);
		const pageText = read(page).toLowerCase();
		// "DRY: Base" is documented as "DRY (Multiplier, Base, …)"; notices and hidden fields have no visible label.
		const missing = description.properties
			.filter(({ type }) => type !== 'notice' && type !== 'hidden')
			.flatMap(labelsOf)
			.flatMap((label) => label.split(': '))
			.filter((label) => !pageText.includes(label.toLowerCase()));
		expect({ page, missing: [...new Set(missing)] }).toEqual({ page, missing: [] });
	});

	/** What an operation shows: the fields that only it has, and their labels. */
	interface ShownOperation {
		/** "Text: Chat", or "Rate" in a node without resources. */
		name: string;
		labels: string[];
	}

	function shownOperationsOf({ properties }: INodeTypeDescription): ShownOperation[] {
		const resources = properties.find(({ name }) => name === 'resource')?.options as
			| INodePropertyOptions[]
			| undefined;
		return properties
			.filter(({ name }) => name === 'operation')
			.flatMap(({ options, displayOptions }) => {
				const [resource] = (displayOptions?.show?.resource ?? []) as string[];
				const label = resources?.find(({ value }) => value === resource)?.name;
				return (options as INodePropertyOptions[]).map(({ name, value }) => ({
					name: label === undefined ? name : `${label}: ${name}`,
					labels: properties
						.filter(({ type }) => type !== 'notice' && type !== 'hidden')
						.filter(({ displayOptions: { show = {} } = {} }) => {
							const isOfResource = show.resource?.includes(resource!) ?? true;
							return isOfResource && show.operation?.includes(value as string) === true;
						})
						.flatMap(labelsOf)
						.flatMap((one) => one.split(': ')),
				}));
			});
	}

	/** Whether a heading is about an operation: "Image: Generate, Edit", "Models". */
	const isAbout = (title: string, operation: string) => {
		const [resource, ...names] = title.split(/[:,] /);
		if (names.length === 0) return operation.startsWith(`${title.replace(/s$/, '')}: `);
		return names.some((name) => `${resource}: ${name}` === operation);
	};

	/** A text with the sections to which it links. */
	const withLinkedSections = (text: string, page: string): string => {
		const linked = linksOf(text).flatMap((link) => {
			const [file = '', anchor] = link.split('#');
			const target = file === '' ? page : path.join(path.dirname(page), file);
			if (!target.startsWith('docs/') || !target.endsWith('.md')) return [];
			const markdown = read(target);
			if (anchor === undefined) return [markdown];
			const at = anchorsOf(markdown).indexOf(anchor);
			return headingsOf(markdown)
				.slice(at, at + 1)
				.map((heading) => heading.text);
		});
		return [text, ...linked].join('\n').replace(/\s+/g, ' ').toLowerCase();
	};

	it.each(NODES)(
		'names each field and option of %s in the section of its operation',
		async (folder) => {
			const { description, page } = await described(folder);
			const operations = shownOperationsOf(description);
			const headings = headingsOf(read(page));
			// What is not about one operation is about all of them.
			const common = headings.filter(
				({ title }) => !operations.some(({ name }) => isAbout(title, name)),
			);
			const missing = operations.flatMap(({ name, labels }) => {
				const own = headings.filter(({ title }) => isAbout(title, name));
				const text = [
					...own.map((heading) => withLinkedSections(heading.text, page)),
					...common.map((heading) => heading.text.replace(/\s+/g, ' ').toLowerCase()),
				].join(' ');
				return labels
					.filter((label) => !text.includes(label.toLowerCase()))
					.map((label) => `${name}: ${label}`);
			});
			expect({ page, missing: [...new Set(missing)] }).toEqual({ page, missing: [] });
		},
	);

	/** Fields and options by label, of all operations that a section is about; of a node without operations, all. */
	function fieldsOfSection(description: INodeTypeDescription, title: string) {
		const isOfSection = ({ displayOptions: { show = {} } = {} }: INodeProperties) => {
			if (operations.length === 0) return true;
			return operations.some(
				({ resource, operation }) =>
					(show.resource?.includes(resource) ?? true) && show.operation?.includes(operation),
			);
		};
		const resources = description.properties.find(({ name }) => name === 'resource');
		const operations = description.properties
			.filter(({ name }) => name === 'operation')
			.flatMap(({ options = [], displayOptions }) => {
				const [resource = ''] = (displayOptions?.show?.resource ?? []) as string[];
				const label = (resources?.options as INodePropertyOptions[] | undefined)?.find(
					({ value }) => value === resource,
				)?.name;
				return (options as INodePropertyOptions[])
					.map(({ name, value }) => ({
						name: `${label}: ${name}`,
						resource,
						operation: value as string,
					}))
					.filter(({ name }) => isAbout(title, name));
			});
		const hasOperations = description.properties.some(({ name }) => name === 'operation');
		if (hasOperations && operations.length === 0) return new Map<string, INodeProperties>();
		const shown = description.properties.filter(
			(property) => property.type !== 'notice' && isOfSection(property),
		);
		return new Map(
			shown
				.flatMap((property) =>
					property.type === 'collection' ? (property.options as INodeProperties[]) : [property],
				)
				.map((property) => [property.displayName.replace(/ \(Seconds\)$/, ''), property]),
		);
	}

	/** An entry of a list that is only a name, perhaps with what applies if it is not set. */
	const NAME_ENTRY = /^([A-Z][\w-]*(?: [\w-]+){0,5})(?: \(default [^()]*\))?$/;

	/** A row of a table whose last cell is a list of names; undefined for prose, and for a list of something else. */
	function readNames(line: string, fields: ReadonlyMap<string, INodeProperties>) {
		const [, head = '', cell = ''] = /^(\| [^|]+ \| )([^|]+) \|$/.exec(line) ?? [];
		const entries = cell.split(', ').map((entry) => ({ entry, name: NAME_ENTRY.exec(entry)?.[1] }));
		if (entries.some(({ name }) => name === undefined)) return undefined;
		const known = entries.filter(({ name }) => fields.has(name!));
		return known.length * 2 > entries.length ? { head, entries } : undefined;
	}

	/**
	 * The lists of names of a section, as the definitions have them: without what is gone, and with what is new, for
	 * which its last table gets a row where it has none.
	 */
	function writeNames(
		text: string,
		fields: ReadonlyMap<string, INodeProperties>,
		missing: string[],
	) {
		const lines = text.split('\n');
		const last = lines.findLastIndex((line) => readNames(line, fields) !== undefined);
		const lastRow = lines.findLastIndex((line) => line.startsWith('| '));
		const newRow =
			last < 0 && missing.length > 0 ? [`| Other options | ${missing.join(', ')} |`] : [];
		return lines
			.flatMap((line, index) => {
				const below = index === lastRow ? newRow : [];
				const row = readNames(line, fields);
				if (row === undefined) return [line, ...below];
				const entries = row.entries
					.filter(({ name }) => fields.has(name!))
					.map(({ entry }) => entry);
				const added = index === last ? missing : [];
				return [`${row.head}${[...entries, ...added].join(', ')} |`];
			})
			.join('\n');
	}

	const FOREIGN = readRows(`${__dirname}/foreign-labels.tsv`).map(([label]) => label!);

	/** Pages that a page links to, which may be about other nodes. */
	const linkedFolders = (page: string) =>
		NODES.filter((folder) => {
			const name = path.basename(pageOf(folder), '.md');
			return linksOf(read(page)).some((link) => link.startsWith(`${name}.`));
		});

	let credentialLabels: string[];
	beforeAll(async () => {
		const credentials = await loadCredentials();
		credentialLabels = credentials.flatMap(({ displayName, properties }) => [
			displayName,
			...properties.flatMap(labelsShownIn),
		]);
	});

	it.each(NODES)('of %s use italics only for labels of the panels', async (folder) => {
		const { page } = await described(folder);
		const shownLabels = await Promise.all([folder, ...linkedFolders(page)].map(labelsShownBy));
		const labels = new Set([...FOREIGN, ...credentialLabels, ...shownLabels.flat()]);
		const unknown = italicsIn(read(page)).filter(
			(label) => !labels.has(label) && !partsOf(label).every((part) => labels.has(part)),
		);
		expect({ page, unknown }).toEqual({ page, unknown: [] });
	});

	it.each(NODES)('of %s use code only for names in the source', async (folder) => {
		const { page } = await described(folder);
		const unknown = namesInCode(read(page)).filter(
			(name) => !FOREIGN.includes(name) && !sourceNames.has(name),
		);
		expect({ page, unknown }).toEqual({ page, unknown: [] });
	});
});

describe('docs/troubleshooting.md', () => {
	/** Messages of Dify, its plugins and its models. */
	const FOREIGN_TEXTS = new Set([
		...['Incorrect API key provided', 'Failed to request plugin daemon', 'Message Not Exists'],
		...['Document: … is not completed', 'Document is indexing'],
	]);

	/** A text of several words that begins with a capital letter, in straight or curly quotation marks. */
	const quotedIn = (page: string) =>
		[
			...page
				.replace(/<[^>\n]*>/g, '')
				.matchAll(/["\u201c](\p{Lu}[^"\u201c\u201d\n]* [^"\u201c\u201d\n]*)["\u201d]/gu),
		]
			.map(([, text]) => text!)
			.filter((text) => !/\p{Script=Han}/u.test(text));

	it.each(['docs/troubleshooting.md', `docs/troubleshooting${CHINESE}`])(
		'%s quotes what the nodes say',
		(page) => {
			const quoted = quotedIn(read(page));
			expect(quoted).not.toEqual([]);
			const unknown = quoted.filter(
				(text) =>
					!FOREIGN_TEXTS.has(text) &&
					// Numbers and names are written as … and as N and M.
					!text
						.split(/\u2026|\b[NM]\b/)
						.every((piece) => source.some((one) => one.includes(piece.trim()))),
			);
			expect({ page, unknown }).toEqual({ page, unknown: [] });
		},
	);
});
