/** A server that rejects a list of types in a schema: what is sent instead, and when nothing is left to change. */
import { adjustNullInSchema } from '../../../../lib/chat/body/schema-forms';
import { createServerError } from '../../../../lib/errors/create-error';
import { toRejection } from '../../../../lib/exchange/rejection';
import type { JsonRecord } from '../../../../lib/values/records';
import { toSentRequest } from '../../exchange/sent-request';

const SERVER_TEXT = "Invalid schema: 'type' must be a string";

/** The names of the changes, and the body after each, until nothing changes any more. */
function change(body: JsonRecord, serverText = SERVER_TEXT) {
	const report = { status: 400, codes: [], isOfGateway: false };
	const error = createServerError('badRequest', {}, { serverText, report });
	const steps: Array<{ name: string; body: JsonRecord }> = [];
	for (let current = body; steps.length < 5; current = steps.at(-1)!.body) {
		const rejection = toRejection({ error, ...toSentRequest(current), isRepeated: false });
		const adaptation = adjustNullInSchema(rejection, current);
		if (adaptation === undefined) break;
		steps.push({ name: adaptation.name, body: adaptation.apply(current) });
	}
	return steps;
}

const ALTERNATIVES = 'null as an alternative in the schema';
const OPTIONAL = 'optional fields instead of null in the schema';

const NULLABLE = {
	type: 'object',
	properties: {
		total: { type: ['number', 'null'], description: 'In euros' },
		size: { enum: ['small', 'large', null], description: 'Of the box' },
		name: { type: 'string' },
		parts: { type: 'array', items: { type: ['string', 'integer', 'null'] } },
	},
	required: ['total', 'size', 'name', 'parts'],
};

const WITH_ALTERNATIVES = {
	type: 'object',
	properties: {
		total: { anyOf: [{ type: 'number' }, { type: 'null' }], description: 'In euros' },
		size: {
			anyOf: [{ type: 'string', enum: ['small', 'large'] }, { type: 'null' }],
			description: 'Of the box',
		},
		name: { type: 'string' },
		parts: {
			type: 'array',
			items: { anyOf: [{ type: 'string' }, { type: 'integer' }, { type: 'null' }] },
		},
	},
	required: ['total', 'size', 'name', 'parts'],
};

const WITHOUT_NULL = {
	type: 'object',
	properties: {
		total: { type: 'number', description: 'In euros' },
		size: { type: 'string', enum: ['small', 'large'], description: 'Of the box' },
		name: { type: 'string' },
		// An entry of a list cannot be missing.
		parts: WITH_ALTERNATIVES.properties.parts,
	},
	required: ['name', 'parts'],
};

test.each<{ title: string; wrap: (schema: JsonRecord) => JsonRecord }>([
	{
		title: 'in the form of OpenAI',
		wrap: (schema) => ({
			response_format: { type: 'json_schema', json_schema: { name: 'data', strict: true, schema } },
		}),
	},
	{ title: 'in the form of Ollama', wrap: (format) => ({ format }) },
])('first alternatives, then fields that need not be there: $title', ({ wrap }) => {
	const body = { model: 'm', ...wrap(NULLABLE) };
	const before = structuredClone(body);
	expect(change(body)).toEqual([
		{ name: ALTERNATIVES, body: { model: 'm', ...wrap(WITH_ALTERNATIVES) } },
		{ name: OPTIONAL, body: { model: 'm', ...wrap(WITHOUT_NULL) } },
	]);
	expect(body).toEqual(before);
});

test('a choice with null among several alternatives keeps the others', () => {
	const branches = [{ type: 'string' }, { type: 'integer' }];
	const format = { type: 'object', properties: { a: { anyOf: [...branches, { type: 'null' }] } } };
	expect(change({ format })).toEqual([
		{
			name: OPTIONAL,
			body: { format: { ...format, properties: { a: { anyOf: branches } }, required: [] } },
		},
	]);
});

test.each([
	{ choice: { type: 'string', enum: ['a', null] }, plain: { type: 'string', enum: ['a'] } },
	{ choice: { enum: [1, null] }, plain: { enum: [1] } },
])('a choice that keeps its type loses only null: $choice', ({ choice, plain }) => {
	const format = { type: 'object', properties: { a: choice }, required: ['a'] };
	expect(change({ format })).toEqual([
		{ name: OPTIONAL, body: { format: { ...format, properties: { a: plain }, required: [] } } },
	]);
});

test('a choice with a list of types loses null with the first change', () => {
	const choice = { type: ['string', 'null'], enum: ['a', null] };
	const format = { type: 'object', properties: { a: choice }, required: ['a'] };
	const plain = { type: 'string', enum: ['a'] };
	const either = { anyOf: [plain, { type: 'null' }] };
	expect(change({ format })).toEqual([
		{ name: ALTERNATIVES, body: { format: { ...format, properties: { a: either } } } },
		{ name: OPTIONAL, body: { format: { ...format, properties: { a: plain }, required: [] } } },
	]);
});

test.each([
	{ model: 'm' },
	{ format: 'json' },
	{ format: { type: 'object', properties: { a: { type: 'string' } } } },
])('nothing changes without null: %j', (body) => {
	expect(change(body)).toEqual([]);
});
