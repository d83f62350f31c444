import { testOtherNodes } from './rig';

testOtherNodes(['key', 'headerValue', 'cookie', 'difyKey']);
