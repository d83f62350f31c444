/** Models of providers in Dify: how a list shows them, and what a value of it means. */
import {
	parseModelRef,
	toEmbeddingModelFields,
	toModelOptions,
} from '../../../../lib/dify/knowledge/models';
import { expectApproved } from '../../../support/approved/approved-table';
import { combine, getOutcome } from '../../../support/approved/outcome';
import path from 'node:path';

test('each entry of a list, and each value', () => {
	const labels = [undefined, { en_US: 'Label' }, { zh_Hans: 'x' }, 'Label', ''];
	const options = combine({
		label: labels,
		providerLabel: labels,
		status: ['active', 'no-configure'],
	}).map(({ label, providerLabel, status }) => ({
		input: JSON.stringify({ label, providerLabel, status }),
		outcome: toModelOptions([
			{ provider: 'a/b/p', label: providerLabel, models: [{ model: 'm', label, status }] },
		]),
	}));
	const values = ['', ' ', 'p|m', ' a/b/p | m|x ', '|m', 'p|', 'm'].map((value) => ({
		input: `"${value}"`,
		outcome: getOutcome(() => toEmbeddingModelFields(parseModelRef(value))),
	}));
	expectApproved(
		path.join(__dirname, 'models.approved.txt'),
		[...options, ...values],
		'A model in a list means one model of one provider',
	);
});
