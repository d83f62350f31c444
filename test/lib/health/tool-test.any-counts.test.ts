/** Any results of the cases of a tool test: a model is called unusable only if most cases were answered, and most of these failed. */
import fc from 'fast-check';
import { evaluateRules } from '../../../lib/health/check-result';
import { TOOL_RULES } from '../../../lib/health/tool-test';

const outcome = fc.constantFrom('passed', 'wrongTool', 'skipped');

test('any outcomes', () => {
	fc.assert(
		fc.property(
			fc.array(outcome, { minLength: 1, maxLength: 9 }),
			fc.boolean(),
			(outcomes, isUnsupported) => {
				const count = (one: string): number => outcomes.filter((each) => each === one).length;
				const [passed, wrong, skipped] = ['passed', 'wrongTool', 'skipped'].map(count) as [
					number,
					number,
					number,
				];
				const cases = outcomes.map((one, at) => ({
					case: `${at}`,
					question: 'q',
					called: 'c',
					passed: one === 'passed',
					...(one !== 'passed' && { problem: one as 'wrongTool' | 'skipped' }),
				}));
				const completed = passed + wrong;
				const facts = { model: 'm', passed, completed, skipped, cases, isUnsupported };
				const ids = evaluateRules(TOOL_RULES, facts).map(({ id }) => id);
				const isUnusable = isUnsupported || (wrong > passed && completed > skipped);
				expect(ids).toEqual([
					...(isUnusable ? ['toolsUnusable'] : []),
					...(!isUnusable && wrong > 0 ? ['toolsUnreliable'] : []),
					...(skipped > 0 ? ['toolTestIncomplete'] : []),
				]);
			},
		),
		{ numRuns: 300 },
	);
});
