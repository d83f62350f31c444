import { type AST, RegExpParser } from '@eslint-community/regexpp';
import { childProcess, createRequire, fs, process } from '../support/node-builtins';
import { cpuMilliseconds } from '../support/cpu-time';

/**
 * All regular expressions of the package must take linear time, since they may get foreign text (ReDoS). Each is tested
 * with attack texts that repeat what it repeats: before, after and between its parts.
 */
type Typescript = typeof import('typescript');
const ts = createRequire(`${process.cwd()}/package.json`)('typescript') as Typescript;
const SIGNS = 80_000;
/** Length of a text that takes a few milliseconds in linear time, half a second and more in quadratic time. */
const MAX_MS = 250;

interface FoundPattern {
	place: string;
	source: string;
	flags: string;
}

function found(): FoundPattern[] {
	const files = String(
		childProcess.execFileSync('git', ['ls-files', 'lib/*.ts', 'nodes/*.ts', 'credentials/*.ts']),
	)
		.trim()
		.split('\n');
	const all = new Map<string, FoundPattern>();
	for (const file of files) {
		const source = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
		const visit = (node: import('typescript').Node): void => {
			if (node.kind === ts.SyntaxKind.RegularExpressionLiteral) {
				const text = node.getText(source);
				const end = text.lastIndexOf('/');
				const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
				all.set(text, {
					place: `${file}:${line + 1}`,
					source: text.slice(1, end),
					flags: text.slice(end + 1),
				});
			}
			ts.forEachChild(node, visit);
		};
		visit(source);
	}
	return [...all.values()];
}

/** A short text that matches an element. */
function sample(element: AST.Element | AST.CharacterClassElement): string {
	switch (element.type) {
		case 'Character':
			return String.fromCodePoint(element.value);
		case 'CharacterSet':
			return element.kind === 'space'
				? element.negate
					? 'a'
					: ' '
				: element.kind === 'digit' && !element.negate
					? '1'
					: 'a';
		case 'CharacterClass': {
			const plain = [...' a1-.:/"\'[]{}<>\\n|`~=,;_@中'].find((sign) =>
				new RegExp(`^${element.raw}$`, 'u').test(sign),
			);
			return plain ?? '';
		}
		case 'CharacterClassRange':
			return sample(element.min);
		case 'Group':
		case 'CapturingGroup':
			return sampleOf(element.alternatives[0]!.elements);
		case 'Quantifier':
			return sample(element.element).repeat(Math.min(Math.max(element.min, 1), 3));
		default:
			return '';
	}
}

function sampleOf(elements: readonly AST.Element[]): string {
	return elements.map(sample).join('');
}

/** Attack texts that cause backtracking: a prefix, and the repeated part. */
function pumps(pattern: AST.Pattern): Array<{ before: string; pump: string }> {
	const all: Array<{ before: string; pump: string }> = [];
	const walk = (elements: readonly AST.Element[], before: string): void => {
		elements.forEach((element, index) => {
			const start = before + sampleOf(elements.slice(0, index));
			if (element.type === 'Quantifier' && element.max > 50) {
				const inner = element.element;
				const choices =
					inner.type === 'Group' || inner.type === 'CapturingGroup'
						? inner.alternatives.map((one) => sampleOf(one.elements))
						: [sample(inner)];
				for (const pump of [...choices, choices.join('')])
					if (pump !== '')
						all.push(
							{ before: start, pump },
							{ before: '', pump },
							{ before: '', pump: start + pump },
						);
			}
			const inside = element.type === 'Quantifier' ? element.element : element;
			if (inside.type === 'Group' || inside.type === 'CapturingGroup')
				inside.alternatives.forEach((one) => walk(one.elements, start));
		});
	};
	pattern.alternatives.forEach((one) => walk(one.elements, ''));
	return all;
}

/** Expressions that only get the beginning of a text, with its maximum length. */
const ALREADY_CUT = new Map([['<(script|style)[\\s\\S]*?<\\/\\1>', 16_000]]);

test('every regular expression of the package takes linear time', () => {
	const took = (regexp: RegExp, text: string) =>
		cpuMilliseconds(() => void text.replace(regexp, ''));
	const slow = found().flatMap(({ place, source, flags }) => {
		const parser = new RegExpParser({ ecmaVersion: 2025 });
		const pattern = parser.parsePattern(source, 0, source.length, { unicode: flags.includes('u') });
		const regexp = new RegExp(source, `${flags.replace(/[gy]/g, '')}g`);
		const signs = ALREADY_CUT.get(source) ?? SIGNS;
		const worst = pumps(pattern).find(({ before, pump }) => {
			const text = (share: number) => `${before}${pump.repeat(signs / share / pump.length)}\0`;
			const ms = took(regexp, text(1));
			// Four times the length takes four times as long if linear, sixteen times if quadratic.
			return ms > MAX_MS && ms > 8 * took(regexp, text(4));
		});
		return worst === undefined ? [] : [`${place} /${source}/${flags} on ${JSON.stringify(worst)}`];
	});
	expect(slow).toEqual([]);
});
