import fc from 'fast-check';

import { pathSegment } from '../../../lib/http/path-segment';
import { pathOfModel } from '../../../lib/servers/model-names';

const ROOT = 'http://host:1/v1';
const evil = fc.array(
	fc.oneof(
		fc.constantFrom('.', '..', '/', '\\', '%2e', '%2f', '?', '#', ';', '\t', '\r\n', '\ud800'),
		fc.string({ unit: 'binary', maxLength: 3 }),
	),
	{ maxLength: 5 },
);

function quietly(work: () => string): string | undefined {
	try {
		return work();
	} catch {
		return undefined;
	}
}

test('fast-check: a value from outside is one segment of the path, or is refused for its dots', () => {
	fc.assert(
		fc.property(evil, (parts) => {
			const value = parts.join('');
			const segment = quietly(() => pathSegment(value));
			if (value === '.' || value === '..') return segment === undefined;
			const { pathname, search, hash } = new URL(`${ROOT}/a/${segment}/b`);
			return (
				pathname === `/v1/a/${segment}/b` &&
				search + hash === '' &&
				decodeURIComponent(segment!) === value.toWellFormed()
			);
		}),
	);
});

test('fast-check: a name of a model keeps its slashes and stays below its route', () => {
	fc.assert(
		fc.property(evil, (parts) => {
			const path = quietly(() => pathOfModel(parts.join('')));
			if (path === undefined)
				return parts
					.join('')
					.split('/')
					.some((part) => /^\.{1,2}$/.test(part));
			return new URL(`${ROOT}/upstream/${path}/props`).pathname === `/v1/upstream/${path}/props`;
		}),
	);
});
