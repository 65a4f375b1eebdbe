from carillon.carriers.simulator.main import main

raise SystemExit(main())
