mod finds;
