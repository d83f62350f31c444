import type { INodeProperties, INodePropertyCollection, INodeType } from 'n8n-workflow';

import { ADVICE } from '../../lib/health/advice';
import { fs, path, process } from '../support/node';

const ROOT = process.cwd();
const read = (file: string) => fs.readFileSync(path.join(ROOT, file), 'utf8');

interface Section {
	level: number;
	title: string;
	/** Lines outside of code. */
	lines: string[];
	code: string[];
}

/** A document in pieces, each from one heading to the next. */
function sectionsOf(markdown: string): Section[] {
	const sections: Section[] = [];
	let code: string[] | undefined;
	for (const line of markdown.split('\n')) {
		const section = sections.at(-1);
		const heading = /^(#+) (.+)$/.exec(line);
		if (line.startsWith('```')) {
			if (code !== undefined) section?.code.push(code.join('\n'));
			code = code === undefined ? [] : undefined;
		} else if (code !== undefined) {
			code.push(line);
		} else if (heading === null) {
			section?.lines.push(line);
		} else {
			sections.push({ level: heading[1]!.length, title: heading[2]!, lines: [], code: [] });
		}
	}
	return sections;
}

const links = (markdown: string) => [...markdown.matchAll(/!?\[[^\]]*\]\(([^)\s]+)\)/g)].map((match) => match[1]!);

/** As GitHub makes it: lower case, punctuation gone, blanks become hyphens. */
const anchorOf = (title: string) =>
	title
		.toLowerCase()
		.replace(/[^\p{L}\p{N} _-]/gu, '')
		.replaceAll(' ', '-');

const english = read('README.md');
const chinese = read('README.zh-CN.md');

describe.each([
	['README.md', english],
	['README.zh-CN.md', chinese],
	['workflows/README.md', read('workflows/README.md')],
	['docs/docker/README.md', read('docs/docker/README.md')],
	['CONTRIBUTING.md', read('CONTRIBUTING.md')],
])('the links of %s', (file, markdown) => {
	const anchors = sectionsOf(markdown).map(({ title }) => `#${anchorOf(title)}`);

	it('lead to files and headings that exist', () => {
		const broken = links(markdown)
			.filter((link) => !link.startsWith('https://'))
			.filter((link) =>
				link.startsWith('#')
					? !anchors.includes(link)
					: !fs.existsSync(path.join(ROOT, path.dirname(file), link.split('#')[0]!)),
			);
		expect(broken).toEqual([]);
	});
});

describe('the help that n8n links to', () => {
	const sources = ['credentials', 'nodes'].flatMap((folder) =>
		(fs.readdirSync(path.join(ROOT, folder), { recursive: true }) as string[])
			.filter((file) => /\.(ts|json)$/.test(file))
			.map((file) => path.join(folder, file)),
	);

	it('is a heading of the README', () => {
		const { homepage } = JSON.parse(read('package.json')) as { homepage: string };
		const [repository] = homepage.split('#');
		const wanted = sources.flatMap((file) =>
			[...read(file).matchAll(/https:\/\/github\.com\/[^'"\s]+/g)].map(([link]) => link),
		);
		expect(wanted.length).toBeGreaterThan(10);
		const known = sectionsOf(english).map(({ title }) => `${repository}#${anchorOf(title)}`);
		expect(wanted.filter((link) => !known.includes(link))).toEqual([]);
	});
});

describe('the Chinese README', () => {
	/** What no translation changes: how deep, how many rows, which code, names between backticks in tables, where links lead. */
	const shapeOf = (markdown: string) =>
		sectionsOf(markdown).map(({ level, lines, code }) => ({
			level,
			rows: lines.filter((line) => line.startsWith('|')).length,
			paragraphs: lines
				.join('\n')
				.split(/\n{2,}/)
				.filter((part) => part.trim() !== '').length,
			code,
			names: lines
				.filter((line) => line.startsWith('|'))
				.map((line) => [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1]!).sort()),
			links: links(lines.join('\n'))
				.filter((link) => !link.startsWith('#') && !/^README/.test(link))
				.sort(),
		}));

	it('has the sections, tables, commands, pictures and links of the English one', () => {
		const shapes = [shapeOf(english), shapeOf(chinese)] as const;
		const titles = sectionsOf(english).map(({ title }) => title);
		expect(shapes[1].map((shape, at) => ({ at: titles[at], ...shape }))).toEqual(
			shapes[0].map((shape, at) => ({ at: titles[at], ...shape })),
		);
	});

	it('is Chinese', () => {
		const chars = (text: string) => text.match(/\p{Script=Han}/gu)?.length ?? 0;
		const foreign = sectionsOf(chinese).filter(
			({ lines }) => lines.join('').length > 120 && chars(lines.join('')) < 20,
		);
		expect(foreign.map(({ title }) => title)).toEqual([]);
	});
});

describe('what the README lists', () => {
	it('has every example workflow', () => {
		const files = fs.readdirSync(path.join(ROOT, 'workflows')).filter((name) => name.endsWith('.json'));
		for (const file of files) {
			expect(english).toContain(`](workflows/${file})`);
			expect(read('workflows/README.md')).toContain(`](${file})`);
		}
	});

	it('has every finding that only Server Health makes', () => {
		const [troubleshooting = ''] = english.split('\n## ').filter((part) => part.startsWith('Troubleshooting'));
		expect(Object.keys(ADVICE).filter((id) => !troubleshooting.includes(`\`${id}\``))).toEqual([]);
	});

	const folders = fs
		.readdirSync(path.join(ROOT, 'nodes'))
		.filter((folder) => fs.existsSync(path.join(ROOT, 'nodes', folder, `${folder}.node.ts`)));

	/** Names of fields and options as people see them, without the unit that some carry. What holds options has a name that says nothing. */
	const labelsOf = (property: INodeProperties | INodePropertyCollection): string[] => {
		const own = property.displayName.replace(/ \(Seconds\)$/, '');
		if (!('type' in property) || property.type !== 'collection') return [own];
		return [...(property.options ?? []).flatMap((option) => ('displayName' in option ? labelsOf(option) : []))];
	};

	it.each(folders)('names every field and option of %s', async (folder) => {
		const exported = (await import(path.join(ROOT, 'nodes', folder, `${folder}.node`))) as Record<
			string,
			new () => INodeType
		>;
		const { description } = new exported[folder]!();
		const section = sectionsOf(english);
		const start = section.findIndex(({ title, level }) => title === description.displayName && level === 3);
		expect(start).toBeGreaterThan(-1);
		const said = section[start]!.lines.join('\n').toLowerCase();
		// "DRY: Base" stands as "DRY (Multiplier, Base, …)"; hidden notices and technical fields have no label that is seen.
		const missing = description.properties
			.filter(({ type }) => type !== 'notice' && type !== 'hidden')
			.flatMap(labelsOf)
			.flatMap((label) => label.split(': '))
			.filter((label) => !said.includes(label.toLowerCase()));
		expect([...new Set(missing)]).toEqual([]);
	});
});
