/** `/tokenize` and `/detokenize` (docs/protocols/llama-server.md 2.7). */
import type { Json } from './chat';
import { serverError, wrongType } from './errors';
import { typeName } from './json';
import type { Settings } from './options';
import { countTokens, wordPieces } from './text';

/** BERT's special tokens. */
const [START, END] = [101, 102];
const FIRST_WORD = 1000;
/** Vocabulary size: the planes from here on have no characters. */
const VOCABULARY = 0xf0000;

/** Words of an encoder, in order of first use. */
const vocabulary: string[] = [];

const wordId = (word: string): number => {
	const known = vocabulary.indexOf(word);
	return FIRST_WORD + (known >= 0 ? known : vocabulary.push(word) - 1);
};

interface Token {
	id: number;
	piece: string;
}

/** Markers of the chat template, one token each if `parse_special` is set; their IDs are private-use code points. */
const MARKS = ['<|im_start|>', '<|im_end|>', '<|endoftext|>'];
const FIRST_MARK = 0xe000;
const MARK = new RegExp(`(${MARKS.map((mark) => mark.replaceAll('|', '\\|')).join('|')})`);

const tokensOf = (text: string, { embeddings }: Settings, parseSpecial: boolean): Token[] => {
	if (embeddings?.encoder === true)
		return wordPieces(text).map((word) => ({ id: wordId(word), piece: ` ${word}` }));
	const parts = parseSpecial ? text.split(MARK) : [text];
	return parts.flatMap((part) =>
		parseSpecial && MARKS.includes(part)
			? [{ id: FIRST_MARK + MARKS.indexOf(part), piece: part }]
			: [...part].map((piece) => ({ id: piece.codePointAt(0)!, piece })),
	);
};

/** Number of tokens of a text, including special tokens. */
export const countOf = (text: string, { embeddings }: Settings): number =>
	embeddings?.encoder === true ? wordPieces(text).length + 2 : countTokens(text);

const pieceOf = (id: number, isEncoder: boolean): string => {
	if (id < 0 || id >= VOCABULARY) {
		const index = BigInt.asUintN(64, BigInt(id));
		throw serverError(
			`vector::_M_range_check: __n (which is ${index}) >= this->size() (which is ${isEncoder ? 30522 : 49152})`,
		);
	}
	if (!isEncoder) return MARKS[id - FIRST_MARK] ?? String.fromCodePoint(id);
	if (id === START) return '[CLS]';
	return id === END ? '[SEP]' : ` ${vocabulary[id - FIRST_WORD] ?? '[unused]'}`;
};

export const detokenized = (ids: readonly number[], { embeddings }: Settings): string => {
	const isEncoder = embeddings?.encoder === true;
	return ids.map((id) => pieceOf(id, isEncoder)).join('');
};

export const tokenize = (body: Json, settings: Settings): object => {
	const {
		content = '',
		with_pieces: withPieces,
		add_special: special,
		parse_special: parseSpecial = true,
	} = body;
	const parts: unknown[] = Array.isArray(content) ? content : [content];
	const isEncoder = settings.embeddings?.encoder === true;
	const tokens = parts.flatMap((part) => {
		if (typeof part === 'string') return tokensOf(part, settings, parseSpecial === true);
		if (typeof part === 'number' && Array.isArray(content))
			return [{ id: part, piece: pieceOf(part, isEncoder) }];
		throw wrongType('string', typeName(part));
	});
	const around = ([id, piece]: [number, string]): Token[] =>
		isEncoder && special === true ? [{ id, piece }] : [];
	const all = [...around([START, '[CLS]']), ...tokens, ...around([END, '[SEP]'])];
	return { tokens: withPieces === true ? all : all.map(({ id }) => id) };
};

export const detokenize = ({ tokens = [] }: Json, settings: Settings): object => {
	const ids: unknown[] = Array.isArray(tokens) ? tokens : [];
	for (const id of ids) if (typeof id !== 'number') throw wrongType('number', typeName(id));
	return { content: detokenized(ids as number[], settings) };
};
