import { DIFY_ERROR_TEXTS } from '../../../../lib/errors/texts/dify';

describe('texts of Dify errors', () => {
	test('no suggestion names an operation that no node has', () => {
		for (const row of Object.values(DIFY_ERROR_TEXTS))
			expect(row({}).suggestion).not.toMatch(/\boperation ["A-Z]|needs (?:completion|workflow)/);
	});
});
