import * as fc from 'fast-check';

import { proxyFailureKind, isBasic, shapeOf } from '../../../lib/errors/failed-answer';
import { notAnObject } from '../../../lib/chat/wire/protocol';
import { describe as wholeText } from '../../../lib/errors/description';
import { httpFailure } from '../../../lib/errors/http-failure';
import { mask, maskedStart, secretsOf } from '../../../lib/errors/secrets';
import { examples } from '../../support/properties';
import { cpuMilliseconds, LINEAR_CPU_MS } from '../../support/time';

const CONTEXT = { url: 'http://10.0.0.5:8080/v1/chat/completions', root: 'http://10.0.0.5:8080' };

const status = fc.integer({ min: 100, max: 599 });
const body = fc.oneof(
	fc.string(),
	fc.json(),
	fc
		.record({ error: fc.jsonValue(), message: fc.jsonValue(), detail: fc.jsonValue() })
		.map((value) => JSON.stringify(value)),
	fc.string().map((text) => `<html><title>${text}</title><h1>${text}`),
);

test('a body that is nested too deeply is told as that, not quoted', () => {
	const level = fc.constantFrom(['[', ']'], ['{"a":', '}'], ['[1,{"b":', '}]']);
	fc.assert(
		fc.property(level, fc.integer({ min: 501, max: 2000 }), ([open, close], depth) => {
			const deep = open!.repeat(depth) + '1' + close!.repeat(depth);
			expect(shapeOf({ body: `{"data":${deep}}` })).toEqual({
				kind: 'text',
				text: 'JSON nested deeper than 500 levels',
			});
			expect(notAnObject(deep).message).toContain('nested deeper than 500 levels');
		}),
	);
});

test('a body is what it is, whatever its label says', () => {
	expect(shapeOf({ body: '{"a":1}', contentType: 'text/html' })).toEqual({
		kind: 'json',
		json: { a: 1 },
	});
	expect(shapeOf({ body: ' null\n' })).toEqual({ kind: 'empty' });
	expect(
		shapeOf({
			body: '<!DOCTYPE html><title>T &amp; U</title><script>x</script><p>word',
			contentType: 'application/json',
		}),
	).toEqual({
		kind: 'page',
		title: 'T & U',
		text: 'T & U word',
	});
	expect(shapeOf({ body: 'It works!' })).toEqual({ kind: 'text', text: 'It works!' });
});

test.each([
	[302, '', 'redirect'],
	[407, '', 'proxy'],
	[502, '{"error":"x"}', 'gateway'],
	[503, 'upstream connect error', 'gateway'],
	[503, '{"error":"loading model"}', undefined],
	[524, '', 'gateway'],
	[529, '<html><title>Site is overloaded</title>', 'gateway'],
	[529, '{"error":{"type":"overloaded_error","message":"Overloaded"}}', undefined],
	[403, 'error code: 1020', 'proxyRefuses'],
	[403, 'error code: 1015', undefined],
	[401, '{"error":"no"}', undefined],
])('%i %j: %s, for model servers and Dify alike', (code, text, kind) => {
	expect(proxyFailureKind({ status: code, body: text }, shapeOf({ body: text }))).toBe(kind);
});

test('a password is wanted only where nothing but a password is', () => {
	expect(['Basic realm="x"', 'basic', 'Bearer', 'Basic, Bearer', ''].map(isBasic)).toEqual([
		true,
		true,
		false,
		false,
		false,
	]);
});

test('no status and no body crashes it, and every failure says something', () => {
	fc.assert(
		fc.property(
			status,
			body,
			fc.option(fc.string(), { nil: undefined }),
			(code, text, contentType) => {
				const failed = httpFailure({ status: code, body: text, contentType }, CONTEXT);
				expect(failed.message.trim()).not.toBe('');
				expect(wholeText(failed)).toContain(failed.remedy);
				expect(failed.message).not.toContain('http://');
			},
		),
		examples(300),
	);
});

test('a megabyte of anything does not keep n8n busy', () => {
	for (const piece of ['<title ', '<h1 ', '<script>', '{', ' ', '&amp;', '<!--']) {
		const body = `<html>${piece.repeat(200_000)}`;
		const work = () => httpFailure({ status: 500, body }, CONTEXT);
		expect(cpuMilliseconds(() => void work())).toBeLessThan(LINEAR_CPU_MS);
	}
});

test('no key survives, wherever it stands and wherever the text is cut', () => {
	const sample = fc
		.stringMatching(/^[A-Za-z0-9+/_.-]{20,40}$/)
		.filter((text) => /\d/.test(text) && /[a-z]/i.test(text));
	fc.assert(
		fc.property(
			sample,
			fc.array(fc.string(), { maxLength: 6 }),
			fc.integer({ min: 1, max: 200 }),
			(value, around, length) => {
				const secrets = secretsOf({ authorization: `Bearer ${value}` });
				const text = around.join(value);
				expect(mask(text, secrets)).not.toContain(value);
				const start = maskedStart(text, length, secrets);
				expect(start.length).toBeLessThanOrEqual(length);
				expect(start).not.toContain(value.slice(0, 12));
			},
		),
		examples(300),
	);
});
