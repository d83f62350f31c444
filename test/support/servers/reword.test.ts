import { isStatusPhrase } from '../../../lib/errors/status-phrase';
import { DECISION_WORDS } from '../../../lib/exchange/decision-words';
import fc from 'fast-check';
import * as fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { reword, rewordBytes } from './reword';

const FIELDS = ['n', 'top_k', 'stream', 'messages', 'voice'];
const at = (seed: number) => ({ seed, fields: FIELDS, names: ['a-model'] });

const word = (text: string) => text.match(/[\p{L}\p{M}]{4,}/gu) ?? [];

/** JSON without its texts. */
const shapeOf = (value: unknown): unknown => {
	if (typeof value === 'string') return 'text';
	if (Array.isArray(value)) return value.map(shapeOf);
	if (typeof value !== 'object' || value === null) return value;
	return Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]);
};

describe('a sentence', () => {
	test.each([
		['Already borrowed', /^[A-Z][a-z]{6} [a-z]{8}$/],
		['The model "a-model" was not found', /^\w{3} \w{5} "a-model" \w{3} \w{3} \w{5}$/],
		["Value of 'n' is 7, `voice` is x", /^\w{5} \w\w 'n' \w\w 7, `voice` \w\w \w$/],
		["The value 'never_sent' and 'other'", /^\w{3} \w{5} 'never_sent' \w{3} '\w{5}'$/],
		['see https://a.example/help?x=y for n', /^\w{3} https:\/\/a\.example\/help\?x=y \w{3} [^n]$/],
		['body.messages.0.text is missing', /^\w{4}\.messages\.0\.\w{4} \w\w \w{7}$/],
		['Loading model', /^Loading \w{5}$/],
		['top_k is not supported', /^top_k \w\w \w{3} supported$/],
		["'format' in this format", /^'format' \w\w \w{4} (?!format)\w{6}$/],
		['information', /^(?!information)\w{11}$/],
		[
			"[{'type': 'missing', 'loc': ('body', 'voice'), 'msg': 'Field required', 'input': 'x'}]",
			/^\[\{'type': 'missing', 'loc': \('body', 'voice'\), 'msg': '\w{5} \w{8}', 'input': 'x'\}\]$/,
		],
		['1 error for Request\nn\n  Input is bad', /^1 \w{5} \w{3} \w{7}\nn\n {2}\w{5} \w\w \w{3}$/],
		[
			'no form 01a1fdfb-f2c8-7175-96d2-7968646c6108 here',
			/^\w\w \w{4} 01a1fdfb-f2c8-7175-96d2-7968646c6108 \w{4}$/,
		],
		['服务器内部错误', /^[\p{Script=Han}]{7}$/u],
		['', /^$/],
		['503', /^503$/],
	])('%s', (text, expected) => {
		expect(reword(text, at(1))).toMatch(expected);
	});
});

describe('a body', () => {
	test.each([
		'{"error":{"message":"Already borrowed","type":"InternalServerError","code":500,"param":"n"}}',
		'{"detail":[{"type":"missing","loc":["body","n"],"msg":"Field required","input":{"a":"b c"}}]}',
		String.raw`{"error":"failed at \/v1: \u670d\u52a1 \"n\""}`,
		'{"message":{"role":"assistant","content":"Hello there"},"done":false}',
		'{"choices":[{"delta":{"content":"Hello there"}}],"error":{"message":"it broke"}}',
	])('%s keeps its shape and its length', (body) => {
		const reworded = reword(body, at(2));
		expect(reworded).not.toBe(body.includes('assistant') ? '' : body);
		expect(shapeOf(JSON.parse(reworded))).toEqual(shapeOf(JSON.parse(body)));
		expect(reworded).toHaveLength(body.length);
		for (const kept of ['InternalServerError', '"missing"', '"b c"', 'Hello there', 'assistant'])
			expect(reworded.includes(kept)).toBe(body.includes(kept));
	});

	test('events: only the words of errors', () => {
		const content = 'data: {"choices":[{"delta":{"content":"The llama"}}]}\n\n';
		const body = `${content}event: error\ndata: {"error":"it broke"}\n\ndata: [DONE]\n\n`;
		const reworded = reword(body, at(3));
		expect(reworded).toMatch(
			/^data: .*The llama.*\n\nevent: error\ndata: \{"error":"\w\w \w{5}"\}\n/,
		);
		expect(reworded).not.toContain('broke');
		expect(reworded).toMatch(/\n\ndata: \[DONE\]\n\n$/);
	});

	test('a page: only what is between its tags', () => {
		const page = '<html><head><style>body {}</style><title>502 Its engine</title></head></html>';
		expect(reword(page, at(4))).toMatch(
			/^<html><head><style>body \{\}<\/style><title>502 (?!Its)\w{3} (?!engine)\w{6}<\/title><\/head><\/html>$/,
		);
	});

	test('JSON inside a sentence', () => {
		const inner = JSON.stringify({ error: { message: 'it broke', code: 'upstream_error' } });
		const body = JSON.stringify({ error: { message: `Provider said - ${inner}` } });
		const { error } = JSON.parse(reword(body, at(5))) as { error: { message: string } };
		expect(error.message).toMatch(
			/^\w{8} \w{4} - \{"error":\{"message":"\w\w \w{5}","code":"upstream_error"\}\}$/,
		);
		expect(error.message).not.toMatch(/broke|Provider/);
	});

	test('bytes that are no UTF-8 stay', () => {
		const body = Buffer.from([0xff, 0x20, 0x41, 0x42, 0x43, 0x44, 0xe9, 0x00, 0xfe]);
		const reworded = rewordBytes(body, at(6));
		expect(reworded).toHaveLength(body.length);
		expect([0, 1, 6, 7, 8].map((index) => reworded[index])).toEqual([0xff, 0x20, 0xe9, 0x00, 0xfe]);
		expect(reworded.toString('latin1')).not.toContain('ABCD');
	});

	test('a megabyte that quotes the request: every word is another one', () => {
		const request = JSON.stringify({
			messages: [{ content: 'Please tell "me" a story. '.repeat(20_000) }],
		});
		const body = JSON.stringify({ error: { message: `Cannot read: ${request}` } });
		expect(body.length).toBeGreaterThan(500_000);
		const reworded = reword(body, at(7));
		expect(reworded.match(/\b(?:Cannot|read|Please|tell|me|a|story)\b/)).toBeNull();
		expect(reworded).toHaveLength(body.length);
	});
});

const sentence = fc.string({ maxLength: 60 });

test('the same seed makes the same text, another seed another one', () => {
	fc.assert(
		fc.property(sentence, fc.nat(), (text, seed) => {
			expect(reword(text, at(seed))).toBe(reword(text, at(seed)));
		}),
	);
	const text = 'The quick brown fox jumps over the lazy dog';
	expect(new Set([1, 2, 3].map((seed) => reword(text, at(seed)))).size).toBe(3);
});

test('JSON keeps its shape, whatever it is', () => {
	fc.assert(
		fc.property(fc.json(), fc.nat(), (json, seed) => {
			expect(shapeOf(JSON.parse(reword(json, at(seed))))).toEqual(shapeOf(JSON.parse(json)));
		}),
	);
});

test('bytes of any kind keep their number', () => {
	fc.assert(
		fc.property(fc.uint8Array(), fc.nat(), (bytes, seed) => {
			expect(rewordBytes(Buffer.from(bytes), at(seed))).toHaveLength(bytes.length);
		}),
	);
});

/** Addresses, and the keys and places of JSON or Python inside a sentence. */
const FACT =
	/\w+:\/\/\S+|(?<![\w.])[\w.]*[A-Z]\w*(?:Error|Exception)(?![\w.])|'loc': \([^()]*\)|(?<=[{,] ?)(['"])\w+\1(?=:)/g;

/** Bodies of servers, collected from public issues and their sources. */
const bodies = fs
	.readFileSync(path.join(process.cwd(), 'test/fixtures/public-errors.jsonl'), 'utf8')
	.trim()
	.split('\n')
	.map((line) => (JSON.parse(line) as { body: string }).body);

test.each([1, 2, 3])('seed %i: no word of four letters of a sentence is left', (seed) => {
	const decisions = new Set(DECISION_WORDS.map(({ word: decision }) => decision));
	const left = bodies.flatMap((body) => {
		const { error, message } = toRecord(body);
		const text = typeof error === 'string' ? error : (toRecord(error).message ?? message);
		if (typeof text !== 'string' || isStatusPhrase(text)) return [];
		const words = new Set(word(reword(text, at(seed))));
		return word(text.replaceAll(FACT, ' '))
			.filter((original) => !decisions.has(original.toLowerCase()))
			.filter((original) => words.has(original))
			.filter((original) => !new RegExp(`_${original}|${original}_`).test(text))
			.filter((original) => !FIELDS.includes(original))
			.map((original) => `${original}: ${text}`);
	});
	expect(left).toEqual([]);
});

function toRecord(value: unknown): Record<string, unknown> {
	try {
		const parsed = typeof value === 'string' ? (JSON.parse(value) as unknown) : value;
		return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
	} catch {
		return {};
	}
}
