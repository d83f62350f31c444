/** Which texts say nothing but the phrase of a status. */
import { isStatusPhrase } from '../../../lib/errors/status-phrase';
import { expectApproved } from '../../support/approved/approved-table';
import path from 'node:path';

const TEXTS = [
	...[
		'Not Found',
		'not found.',
		'404 Not Found',
		'404 page not found',
		'HTTP/1.1 502 Bad Gateway',
		'Error 503: Service Unavailable',
	],
	...[
		'File Not Found',
		'File Not Found (/v1/models)',
		'The requested URL was not found',
		'{"Bad Request"}',
		'(Internal Server Error)!',
	],
	...[
		'Unauthorized',
		'Forbidden',
		'status code: 429 Too Many Requests',
		'error code 500',
		'500',
		'',
		' ',
		'OK',
		'error',
		'Gateway Time-out',
	],
	...[
		'Model not found',
		'Not Found: model a',
		'Bad Request: temperature',
		'No memory',
		'page not found here',
	],
];

test('each text, and the longest one that is looked at', () => {
	const rows = TEXTS.map((text) => ({ input: `"${text}"`, outcome: isStatusPhrase(text) }));
	const lengths = Array.from({ length: 200 }, (_none, at) => at).filter((count) =>
		isStatusPhrase(`Not Found (/${'x'.repeat(count)})`),
	);
	rows.push({ input: 'characters of a path', outcome: `up to ${lengths.at(-1)}` as never });
	const blanks = [0, 1, 50, 99, 100, 150, 1_000].map((count) => ({
		input: `${count} blanks behind`,
		outcome: isStatusPhrase(`Not Found${' '.repeat(count)}`),
	}));
	expectApproved(
		path.join(__dirname, 'status-phrase.approved.txt'),
		[...rows, ...blanks],
		'A phrase of a status is no sentence of a server',
	);
});
