import { testNodes, withExecute } from './rig';

testNodes(
	withExecute.filter((name) => name.startsWith('Dify')),
	['difyKey'],
);
