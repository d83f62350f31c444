/** The events of bodies of many forms, and what else is known of each at its end. */
import path from 'node:path';
import { StreamParser } from '../../../lib/http/stream-parser';
import { BodyTooLargeError } from '../../../lib/http/body-limits';
import type { StreamPart } from '../../../lib/http/types';
import { omitUndefined } from '../../../lib/values/records';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';

const BODIES = [
	'data: {"a":1}\n\ndata: {"b":2}\n\ndata: [DONE]\n\n',
	'data: {"a":1}\n\ndata: {"b":2}',
	'data: {"a":1}\r\n\r\ndata: {"b":2}\r\n\r\n',
	'data: {"a":1}\r\rdata: {"b":2}\r\r',
	'data:{"a":1}\n\n',
	'data: {"a":1}\ndata: {"b":2}\n\n',
	'data: {"a":\ndata: 1}\n\n',
	'data: data: {"a":1}\n\n',
	'event: ping\ndata: {"a":1}\nid: 5\nretry: 9\n\n',
	': comment\n\ndata: {"a":1}\n\n',
	'proxy error: no\n\ndata: {"a":1}\n\n',
	'data: {"a":1}\n\nproxy error: no\n',
	'dat',
	'data: [DONE]',
	'{"a":1}',
	'{"a":1}\n',
	' \n{"a":1}',
	'\uFEFF{"a":1}',
	'[{"a":1},{"b":2}]',
	'{"a":1}\n{"b":2}\n',
	'{"a":1}\nno JSON\n{"b":2}',
	'{\n"a": 1\n}',
	'{"a":',
	'<html><title>x</title></html>',
	'no JSON\n{"a":1}\n',
	'',
	' \n ',
	'data: {"long":"' + 'x'.repeat(90) + '"}\n\ndata: {"a":1}\n\n',
	'data: {"a":1}\n\ndata: {"long":"' + 'x'.repeat(90) + '"}\n\n',
	'{"long":"' + 'x'.repeat(90) + '"}',
	// A gateway omits some of the `data: `.
	'data: {"a":1}\n\n{"b":2}\n\ndata: {"c":3}\n\n',
	'data: {"a":1}\n{"b":2}\ndata: {"c":3}\n\n',
	'data: {"a":1}\r\r{"b":2}\r\rdata: {"c":3}\r\r',
	'{"a":1}\n\ndata: {"b":2}\n\n',
	'{"a":1}\n\n{"b":2}\n\ndata: {"c":3}\n\n',
	'{\n"a": 1\n}\nno JSON\n',
	'data: {"a":1}\n\n{"b":',
];

const MAX_LENGTH = 80;

const parse = (body: string, framing: 'events' | 'lines', size: number) => {
	const parser = new StreamParser(framing, MAX_LENGTH);
	const parts: StreamPart[] = [];
	const bytes = Buffer.from(body);
	let error: unknown;
	try {
		for (let at = 0; at < bytes.length; at += size) {
			parts.push(...parser.push(bytes.subarray(at, at + size)));
			parser.assertSmall();
		}
		parts.push(...parser.end());
		parser.assertSmall();
	} catch (thrown) {
		error = thrown;
	}
	const { page } = parser;
	return omitUndefined({
		parts: parts.map(({ type, text }) => `${type} ${text}`),
		page,
		ended: `${String(parser.mayHaveEnded())} ${String(parser.hasEnded())}`,
		error: error instanceof BodyTooLargeError ? `too large after ${error.received}` : error,
	});
};

test('each body has its events, in whatever parts it arrives', () => {
	const outcomes = BODIES.flatMap((body) =>
		(['events', 'lines'] as const).flatMap((framing) =>
			// A body that is too large is told apart at another byte in other parts.
			(body.length > MAX_LENGTH ? [1] : [1, 7, 1_000]).map((size) => ({
				subject: JSON.stringify(body),
				place: `${framing}${size === 1 ? '' : ` of ${String(size)} bytes`}`,
				outcome: parse(body, framing, size),
			})),
		),
	);
	expectApproved(
		path.join(__dirname, 'stream-parser.approved.txt'),
		joinPlaces(outcomes),
		'A stream has the same events in whatever parts it arrives',
	);
});
